#include <ggml.h>
#include <pybind11/pybind11.h>

#include "bind/register.h"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The C++ core: GGUF files and the engine that runs them.";
  module.attr("ggml_version") = ggml_version();
  llmr::RegisterExceptions(module);
  llmr::RegisterGguf(module);
  llmr::RegisterEngine(module);
  llmr::RegisterQuantize(module);
  llmr::RegisterTesting(module);
}
