#include <pybind11/pybind11.h>
#include <pybind11/stl/filesystem.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "bind/exceptions.h"
#include "bind/register.h"
#include "gguf/gguf_file.h"

namespace py = pybind11;

namespace llmr {
namespace {

// A GgufFile with its metadata as Python objects, made once, when first asked for: a large
// vocabulary makes half a million of them.
struct BoundGgufFile {
  std::shared_ptr<const GgufFile> file;
  py::object metadata;  // a read-only mapping, or null
};

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

std::unique_ptr<BoundGgufFile> Open(const std::filesystem::path& path) {
  std::shared_ptr<const GgufFile> file;
  {
    const py::gil_scoped_release release;
    file = ValueOrThrow(GgufFile::Open(path.string()));
  }
  return std::make_unique<BoundGgufFile>(BoundGgufFile{std::move(file), {}});
}

py::object MetadataOf(BoundGgufFile& self) {
  if (!self.metadata) {
    self.metadata = MetadataToPython(self.file->metadata());
  }
  return self.metadata;
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

py::list MetadataItems(const BoundGgufFile& self, size_t most) {
  py::list items;
  for (const MetadataEntry& entry : self.file->entries()) {
    items.append(
        py::cast(std::visit([&](const auto& value) { return ItemOf(entry.key, value, most); },
                            *self.file->Find(entry.key))));
  }
  return items;
}

py::tuple ShapeToPython(const TensorInfo& tensor) {
  py::tuple shape(static_cast<size_t>(tensor.dimensions));
  for (size_t index = 0; index < shape.size(); ++index) {
    shape[index] = tensor.shape[index];
  }
  return shape;
}

py::list TensorsToPython(const BoundGgufFile& self) {
  py::list tensors;
  for (const TensorInfo& tensor : self.file->tensors()) {
    tensors.append(py::cast(tensor));
  }
  return tensors;
}

// The bytes of a tensor, copied. Raises DATA_LOSS where the file was cut short.
py::bytes ReadTensor(const BoundGgufFile& self, const std::string& name) {
  const TensorInfo* const tensor = self.file->FindTensor(name);
  if (tensor == nullptr) {
    throw py::key_error(name);
  }
  const py::bytes data(reinterpret_cast<const char*>(tensor->data), tensor->size);
  if (self.file->damaged()) {
    throw CoreException(
        Error{ErrorCode::kDataLoss, "GGUF_TRUNCATED",
              "path '" + self.file->path() + "': the file was cut short while mapped"});
  }
  return data;
}

void RegisterTensorInfo(py::module_& module) {
  py::class_<TensorInfo>(module, "TensorInfo", "One tensor of a GGUF file; immutable.")
      .def_readonly("name", &TensorInfo::name)
      .def_property_readonly("shape", ShapeToPython,
                             "Elements in each dimension, ggml's order: the first is contiguous.")
      .def_property_readonly(
          "type", [](const TensorInfo& self) { return ggml_type_name(self.type); },
          "ggml's name of the element type: f32, f16, q4_K and so on.")
      .def_readonly("offset", &TensorInfo::offset, "Bytes from the start of the file.")
      .def_readonly("nbytes", &TensorInfo::size);
}

void RegisterMetadataItem(py::module_& module) {
  py::class_<MetadataItem>(module, "MetadataItem", "One line of a GGUF file's metadata; immutable.")
      .def_readonly("key", &MetadataItem::key)
      .def_readonly("type", &MetadataItem::type, "u32, str, array of str and so on.")
      .def_readonly("length", &MetadataItem::length, "Elements of an array, else None.")
      .def_readonly("value", &MetadataItem::value, "A scalar, or the first elements of an array.");
}

}  // namespace

void RegisterGguf(py::module_& module) {
  RegisterTensorInfo(module);
  RegisterMetadataItem(module);
  py::class_<BoundGgufFile>(
      module, "GgufFile",
      "A GGUF file, mapped and checked. Immutable; may be shared between threads.")
      .def(py::init(&Open), py::arg("path"),
           "Map and check a file. Raises CoreError: FILE_NOT_FOUND, FILE_UNREADABLE, "
           "GGUF_TRUNCATED, "
           "GGUF_INVALID, GGUF_UNSUPPORTED.")
      .def_property_readonly("path", [](const BoundGgufFile& self) { return self.file->path(); })
      .def_property_readonly("version",
                             [](const BoundGgufFile& self) { return self.file->version(); })
      .def_property_readonly("alignment",
                             [](const BoundGgufFile& self) { return self.file->alignment(); })
      .def_property_readonly("nbytes", [](const BoundGgufFile& self) { return self.file->size(); })
      .def_property_readonly(
          "damaged", [](const BoundGgufFile& self) { return self.file->damaged(); },
          "True once a part of the file could not be read any more.")
      .def_property_readonly("metadata", MetadataOf,
                             "A read-only mapping; strings are decoded as UTF-8 with replacement.")
      .def("metadata_items", MetadataItems, py::arg("most"),
           "Each key in the file's order, with at most so many elements of its array.")
      .def_property_readonly("tensors", TensorsToPython)
      .def("read_tensor", ReadTensor, py::arg("name"),
           "A copy of a tensor's bytes. Raises KeyError, or CoreError (DATA_LOSS) where the file "
           "was "
           "cut short.");
}

}  // namespace llmr
