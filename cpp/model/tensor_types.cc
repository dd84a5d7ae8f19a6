#include "model/tensor_types.h"

#include <ggml-cpu.h>

#include <cstring>
#include <string>

#include "base/quote.h"

namespace llmr {
namespace {

Error BadSize(ggml_type type, std::size_t size, const char* unit, std::size_t block) {
  return Error{ErrorCode::kInvalidArgument, "TENSOR_SIZE",
               std::string(ggml_type_name(type)) + ": " + std::to_string(size) + " " + unit +
                   "; allowed: multiples of " + std::to_string(block)};
}

}  // namespace

bool IsWeightType(ggml_type type) {
  const ggml_type_traits_cpu* traits = ggml_get_type_traits_cpu(type);
  if (traits->vec_dot == nullptr) {
    return false;
  }
  return traits->vec_dot_type == GGML_TYPE_F32 ||
         ggml_get_type_traits_cpu(traits->vec_dot_type)->from_float != nullptr;
}

std::vector<ggml_type> WeightTypes() {
  std::vector<ggml_type> types;
  for (int number = 0; number < GGML_TYPE_COUNT; ++number) {
    if (const auto type = static_cast<ggml_type>(number); IsWeightType(type)) {
      types.push_back(type);
    }
  }
  return types;
}

Result<ggml_type> ParseWeightType(std::string_view name) {
  for (const ggml_type type : WeightTypes()) {
    if (ggml_type_name(type) == name) {
      return type;
    }
  }
  return Error{ErrorCode::kInvalidArgument, "TENSOR_TYPE_UNKNOWN",
               "tensor type is " + Quote(name) + "; allowed: the types of weights"};
}

Result<std::vector<std::byte>> Quantize(ggml_type type, std::span<const float> values,
                                        std::int64_t columns) {
  const std::int64_t block = ggml_blck_size(type);
  if (columns < 1 || columns % block != 0) {
    return BadSize(type, static_cast<std::size_t>(columns), "columns",
                   static_cast<std::size_t>(block));
  }
  if (values.empty() || values.size() % static_cast<std::size_t>(columns) != 0) {
    return BadSize(type, values.size(), "elements", static_cast<std::size_t>(columns));
  }
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  std::vector<std::byte> data(ggml_row_size(type, columns) * static_cast<std::size_t>(rows));
  const std::vector<float> importance(static_cast<std::size_t>(columns), 1.0F);
  ggml_quantize_chunk(type, values.data(), data.data(), 0, rows, columns, importance.data());
  return data;
}

Result<std::vector<float>> Dequantize(ggml_type type, std::span<const std::byte> data) {
  const std::size_t block_bytes = ggml_type_size(type);
  if (data.size() % block_bytes != 0) {
    return BadSize(type, data.size(), "bytes", block_bytes);
  }
  const auto elements = static_cast<std::int64_t>(data.size() / block_bytes) * ggml_blck_size(type);
  std::vector<float> values(static_cast<std::size_t>(elements));
  if (type == GGML_TYPE_F32) {
    std::memcpy(values.data(), data.data(), data.size());
  } else {
    ggml_get_type_traits(type)->to_float(data.data(), values.data(), elements);
  }
  return values;
}

}  // namespace llmr
