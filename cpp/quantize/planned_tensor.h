// A tensor of the source and what becomes of it.
#pragma once

#include <ggml.h>

#include <cstddef>

#include "gguf/tensor_info.h"

namespace llmr {

struct PlannedTensor {
  const TensorInfo* source;  // owned by the source
  ggml_type type;            // in the target; shape[0] is a multiple of its block size
  std::size_t offset;        // bytes from the start of the target's tensor data, aligned
  std::size_t size;          // bytes in the target
};

}  // namespace llmr
