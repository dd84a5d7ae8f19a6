// Which types a weight may have, and conversions between them and F32.
#pragma once

#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llmr {

// True for the types that ggml's CPU backend multiplies with: there is a dot product, and a way to
// bring the other operand into the form that it takes.
bool IsWeightType(ggml_type type);

// All of them, in ggml's order.
std::vector<ggml_type> WeightTypes();

// By ggml's name, "q4_K". Errors: INVALID_ARGUMENT / TENSOR_TYPE_UNKNOWN.
Result<ggml_type> ParseWeightType(std::string_view name);

// Rows of `columns` elements as `type`, without an importance matrix. REQUIRES: a weight type.
// Errors: INVALID_ARGUMENT / TENSOR_SIZE where the rows are no multiple of the type's block.
Result<std::vector<std::byte>> Quantize(ggml_type type, std::span<const float> values,
                                        std::int64_t columns);

// The other way round. Errors: INVALID_ARGUMENT / TENSOR_SIZE.
Result<std::vector<float>> Dequantize(ggml_type type, std::span<const std::byte> data);

}  // namespace llmr
