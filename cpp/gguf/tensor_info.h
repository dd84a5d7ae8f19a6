// One line of a GGUF file's tensor table, checked.
#pragma once

#include <ggml.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace llmr {

struct TensorInfo {
  std::string name;                // 1 … GGML_MAX_NAME - 1 bytes of printable ASCII
  ggml_type type = GGML_TYPE_F32;  // one that ggml knows; shape[0] is a multiple of its block size
  int dimensions = 1;              // 1 … GGML_MAX_DIMS, as the file says
  std::array<int64_t, 4>
      shape{};        // elements, ggml's order (shape[0] is contiguous); 1 past `dimensions`
  size_t offset = 0;  // bytes from the start of the file, a multiple of the alignment
  size_t size = 0;    // bytes; offset + size lies inside the file
  const std::byte* data = nullptr;  // the tensor's bytes; owned by the file
};

}  // namespace llmr
