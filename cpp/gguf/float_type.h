// Which tensors hold plain numbers.
#pragma once

#include <ggml.h>

namespace llmr {

// True for the floating-point types of weights that are not quantised.
constexpr bool IsFloatType(ggml_type type) {
  return type == GGML_TYPE_F32 || type == GGML_TYPE_F16 || type == GGML_TYPE_BF16;
}

}  // namespace llmr
