#include "bind/exceptions.h"

#include <pybind11/pybind11.h>

#include "bind/register.h"

namespace py = pybind11;

namespace llmr {
namespace {

// The text may quote bytes of a hostile file, which need not be UTF-8.
py::str Decode(const std::string& text) {
  PyObject* const decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (decoded == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::str>(decoded);
}

void Raise(const py::handle& type, const Error& error) {
  const py::str message = Decode(error.message);
  py::object instance = type(message);
  instance.attr("code") = ErrorCodeName(error.code);
  instance.attr("reason") = error.reason;
  instance.attr("message") = message;
  PyErr_SetObject(type.ptr(), instance.ptr());
}

}  // namespace

void RegisterExceptions(py::module_& module) {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> storage;
  storage.call_once_and_store_result(
      [&]() -> py::object { return py::exception<CoreException>(module, "CoreError"); });
  storage.get_stored().attr("__doc__") =
      "An error of the C++ core: code (a gRPC code's name), reason (stable), message (for people).";
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) {
        std::rethrow_exception(pointer);
      }
    } catch (const CoreException& exception) {
      Raise(storage.get_stored(), exception.error());
    }
  });
}

}  // namespace llmr
