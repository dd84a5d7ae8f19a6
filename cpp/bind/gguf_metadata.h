// A GGUF file's metadata as Python objects. The GIL is held by whoever calls.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>

#include "gguf/gguf_file.h"

namespace llmr {

// The whole of it, made when first asked for and then kept: a large vocabulary becomes half a
// million objects.
class PythonMetadata {
 public:
  // A read-only mapping; strings are decoded as UTF-8 with replacement.
  pybind11::object Of(const GgufFile& file);

 private:
  pybind11::object mapping_;  // null until then
};

// Each line in the file's order as a _core.MetadataItem, with at most `most` elements of its array.
pybind11::list MetadataItems(const GgufFile& file, std::size_t most);

void RegisterMetadataItem(pybind11::module_& module);

}  // namespace llmr
