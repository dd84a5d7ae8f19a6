#include <ggml.h>
#include <pybind11/pybind11.h>

PYBIND11_MODULE(_core, m) {
  m.doc() = "The C++ core: GGUF files and the engine that runs them.";
  m.attr("ggml_version") = ggml_version();
}
