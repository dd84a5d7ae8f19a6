// _core.quantize.
#include <pybind11/pybind11.h>
#include <pybind11/stl/filesystem.h>

#include <exception>
#include <filesystem>
#include <string>

#include "bind/exceptions.h"
#include "bind/register.h"
#include "quantize/quantize.h"

namespace py = pybind11;

namespace llmr {
namespace {

// Works with the GIL released; takes it back for each call of `on_progress`, whose exception ends
// the work and goes on to the caller.
void QuantizeFile(const std::filesystem::path& source, const std::filesystem::path& target,
                  const std::string& type, const py::object& on_progress, int threads,
                  bool replace) {
  std::exception_ptr raised;
  QuantizeOptions options{.type = type, .threads = threads, .replace = replace, .on_progress = {}};
  options.on_progress = [&](const std::string& tensor, double fraction) {
    const py::gil_scoped_acquire gil;
    try {
      return on_progress(tensor, fraction).cast<bool>();
    } catch (...) {
      raised = std::current_exception();
      return false;
    }
  };
  Status done = [&] {
    const py::gil_scoped_release released;
    return Quantize(source.string(), target.string(), options);
  }();
  if (raised) {
    std::rethrow_exception(raised);
  }
  ThrowIfError(std::move(done));
}

}  // namespace

void RegisterQuantize(py::module_& module) {
  module.def("quantize", &QuantizeFile, py::arg("source"), py::arg("target"), py::arg("type"),
             py::arg("on_progress"), py::arg("threads") = 0, py::kw_only(),
             py::arg("replace") = false);
}

}  // namespace llmr
