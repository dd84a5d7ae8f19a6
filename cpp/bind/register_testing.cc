// _core.testing: inner parts for the project's own tests. Not for users.
#include "bind/register.h"

namespace llmr {

void RegisterTesting(pybind11::module_& module) {
  pybind11::module_ testing =
      module.def_submodule("testing", "Inner parts of the core, for the project's own tests.");
  RegisterTestingKv(testing);
  RegisterTestingEngine(testing);
  RegisterTestingModel(testing);
  RegisterTestingText(testing);
}

}  // namespace llmr
