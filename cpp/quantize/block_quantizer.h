// Elements of one tensor as another type, on several threads.
#pragma once

#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "gguf/tensor_info.h"

namespace llmr {

std::int64_t ElementsOf(const TensorInfo& tensor);

// Converts `count` elements of a floating-point tensor, from `first` on, and fills `out` with them.
// ggml computes each block by itself, so the bytes depend neither on `threads` nor on how a tensor
// is cut. Errors: FAILED_PRECONDITION / TENSOR_NOT_FINITE, which names the tensor and the first
// element found that is NaN, infinite, or too large for the scales of the type.
// REQUIRES: `first` and `count` are multiples of the type's block size and lie inside the tensor;
// `out` has the size of `count` elements; threads ≥ 1.
Status QuantizeElements(const TensorInfo& tensor, ggml_type type, std::int64_t first,
                        std::int64_t count, int threads, std::span<std::byte> out);

}  // namespace llmr
