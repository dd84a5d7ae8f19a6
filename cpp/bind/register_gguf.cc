#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <memory>

#include "bind/exceptions.h"
#include "bind/gguf_metadata.h"
#include "bind/register.h"
#include "gguf/gguf_file.h"
#include "gguf/gguf_shards.h"
#include "model/survey.h"

namespace py = pybind11;

namespace llmr {
namespace {

struct BoundGgufFile {
  std::shared_ptr<const GgufFile> file;
  PythonMetadata metadata;
};

std::unique_ptr<BoundGgufFile> Open(const std::filesystem::path& path) {
  std::shared_ptr<const GgufFile> file;
  {
    const py::gil_scoped_release release;
    file = ValueOrThrow(GgufFile::Open(path.string()));
  }
  return std::make_unique<BoundGgufFile>(BoundGgufFile{std::move(file), {}});
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

// The same for a model that may be sharded.
struct BoundGgufShards {
  std::shared_ptr<const GgufShards> shards;
  PythonMetadata metadata;
};

std::unique_ptr<BoundGgufShards> OpenShards(const std::filesystem::path& path) {
  std::shared_ptr<const GgufShards> shards;
  {
    const py::gil_scoped_release release;
    shards = ValueOrThrow(GgufShards::Open(path.string()));
  }
  return std::make_unique<BoundGgufShards>(std::move(shards), PythonMetadata());
}

std::vector<std::string> ShardFaults(const BoundGgufShards& self) {
  std::vector<std::string> messages;
  for (Error& fault : FindFaults(self.shards)) {
    messages.push_back(std::move(fault.message));
  }
  return messages;
}

// Names of files need not be UTF-8: they are decoded as os.fsdecode() does.
py::str FileNameToPython(const std::string& path) {
  PyObject* const decoded =
      PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size()));
  if (decoded == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::str>(decoded);
}

py::list ShardPaths(const BoundGgufShards& self) {
  py::list paths;
  for (const auto& file : self.shards->files()) {
    paths.append(FileNameToPython(file->path()));
  }
  return paths;
}

py::list ShardTensors(const BoundGgufShards& self) {
  py::list tensors;
  for (const TensorInfo* tensor : self.shards->tensors()) {
    tensors.append(py::cast(*tensor));
  }
  return tensors;
}

void RegisterShards(py::module_& module) {
  py::class_<BoundGgufShards>(
      module, "GgufShards",
      "A model's GGUF, mapped and checked: one file, or all shards of a set. Immutable; may be "
      "shared between threads.")
      .def(py::init(&OpenShards), py::arg("path"),
           "Map and check a file, or a set by the path of its first. Raises CoreError as GgufFile "
           "does; GGUF_NOT_FIRST_SHARD, whose message names the first; GGUF_INVALID or "
           "GGUF_MISSING_KEY where the files make no set.")
      .def_property_readonly("paths", ShardPaths, "Of all files, the first shard's first.")
      .def_property_readonly(
          "nbytes", [](const BoundGgufShards& self) { return self.shards->size(); },
          "Of all files.")
      .def_property_readonly(
          "damaged", [](const BoundGgufShards& self) { return self.shards->damaged(); },
          "True once a part of any file could not be read any more.")
      .def_property_readonly(
          "version", [](const BoundGgufShards& self) { return self.shards->first().version(); })
      .def_property_readonly(
          "metadata", [](BoundGgufShards& self) { return self.metadata.Of(self.shards->first()); },
          "The model's, which the first file holds; as GgufFile.metadata.")
      .def(
          "metadata_items",
          [](const BoundGgufShards& self, size_t most) {
            return MetadataItems(self.shards->first(), most);
          },
          py::arg("most"), "Each key in the file's order, with at most so many array elements.")
      .def_property_readonly("tensors", ShardTensors,
                             "Of all files, one behind the other; offsets count in each tensor's "
                             "own file.")
      .def("find_faults", ShardFaults, py::call_guard<py::gil_scoped_release>(),
           "Why an engine would refuse the model, all of it; reads no weights.");
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

}  // namespace

void RegisterGguf(py::module_& module) {
  RegisterTensorInfo(module);
  RegisterMetadataItem(module);
  RegisterShards(module);
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
      .def_property_readonly(
          "metadata", [](BoundGgufFile& self) { return self.metadata.Of(*self.file); },
          "A read-only mapping; strings are decoded as UTF-8 with replacement.")
      .def_property_readonly("tensors", TensorsToPython)
      .def("read_tensor", ReadTensor, py::arg("name"),
           "A copy of a tensor's bytes. Raises KeyError, or CoreError (DATA_LOSS) where the file "
           "was "
           "cut short.");
}

}  // namespace llmr
