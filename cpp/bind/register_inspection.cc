// _core.find_faults.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bind/exceptions.h"
#include "bind/register.h"
#include "gguf/gguf_file.h"
#include "model/survey.h"

namespace py = pybind11;

namespace llmr {
namespace {

std::vector<std::string> FindFaultsOf(const std::filesystem::path& path) {
  const py::gil_scoped_release released;
  std::vector<std::string> messages;
  for (Error& fault : FindFaults(ValueOrThrow(GgufFile::Open(path.string())))) {
    messages.push_back(std::move(fault.message));
  }
  return messages;
}

}  // namespace

void RegisterInspection(py::module_& module) {
  module.def("find_faults", &FindFaultsOf, py::arg("path"));
}

}  // namespace llmr
