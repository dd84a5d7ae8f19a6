// Where a GGUF file has a line of its metadata.
#pragma once

#include <cstddef>
#include <string>

namespace llmr {

// Key, type and value together are the file's bytes [offset, offset + size). They can be copied
// into another file as they are: their form is the same in versions 2 and 3.
struct MetadataEntry {
  std::string key;
  size_t offset = 0;  // bytes from the start of the file
  size_t size = 0;    // bytes
};

}  // namespace llmr
