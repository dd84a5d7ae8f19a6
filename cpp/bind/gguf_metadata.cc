#include "bind/gguf_metadata.h"

#include <algorithm>
#include <concepts>
#include <string>
#include <variant>
#include <vector>

namespace py = pybind11;

namespace llmr {
namespace {

// One line of the metadata, without all the elements of an array.
struct MetadataItem {
  std::string key;
  std::string type;   // "u32", "array of str"
  py::object length;  // elements of an array, else None
  py::object value;   // a scalar, or the first elements
};

py::object ToPython(bool value) { return py::bool_(value); }
py::object ToPython(float value) { return py::float_(static_cast<double>(value)); }
py::object ToPython(double value) { return py::float_(value); }

template <class T>
  requires std::integral<T>
py::object ToPython(T value) {
  return py::int_(value);
}

py::object ToPython(const std::string& text) {
  PyObject* const decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (decoded == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::object>(decoded);
}

template <class T>
py::object ToPython(const std::vector<T>& values) {
  py::list list(values.size());
  Py_ssize_t index = 0;
  for (const auto& value : values) {
    PyList_SET_ITEM(list.ptr(), index++, ToPython(static_cast<const T&>(value)).release().ptr());
  }
  return list;
}

py::object MetadataToPython(const Metadata& metadata) {
  py::dict dict;
  for (const auto& [key, value] : metadata) {
    dict[py::str(key)] = std::visit([](const auto& held) { return ToPython(held); }, value);
  }
  return py::reinterpret_steal<py::object>(PyDictProxy_New(dict.ptr()));
}

template <class T>
MetadataItem ItemOf(const std::string& key, const T& value, size_t) {
  return {key, MetadataTypeName(value), py::none(), ToPython(value)};
}

template <class T>
MetadataItem ItemOf(const std::string& key, const std::vector<T>& values, size_t most) {
  const auto shown = static_cast<std::ptrdiff_t>(std::min(most, values.size()));
  const std::vector<T> first(values.begin(), values.begin() + shown);
  return {key, MetadataTypeName(std::vector<T>{}), py::int_(values.size()), ToPython(first)};
}

}  // namespace

py::list MetadataItems(const GgufFile& file, size_t most) {
  py::list items;
  for (const MetadataEntry& entry : file.entries()) {
    items.append(py::cast(std::visit(
        [&](const auto& value) { return ItemOf(entry.key, value, most); }, *file.Find(entry.key))));
  }
  return items;
}

py::object PythonMetadata::Of(const GgufFile& file) {
  if (!mapping_) {
    mapping_ = MetadataToPython(file.metadata());
  }
  return mapping_;
}

void RegisterMetadataItem(py::module_& module) {
  py::class_<MetadataItem>(module, "MetadataItem", "One line of a GGUF file's metadata; immutable.")
      .def_readonly("key", &MetadataItem::key)
      .def_readonly("type", &MetadataItem::type, "u32, str, array of str and so on.")
      .def_readonly("length", &MetadataItem::length, "Elements of an array, else None.")
      .def_readonly("value", &MetadataItem::value, "A scalar, or the first elements of an array.");
}

}  // namespace llmr
