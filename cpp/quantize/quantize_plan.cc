#include "quantize/quantize_plan.h"

#include <string>
#include <utility>

#include "base/quote.h"
#include "base/round_up.h"
#include "quantize/gguf_header.h"
#include "quantize/tensor_mix.h"

namespace llmr {
namespace {

Error Unusable(const GgufShards& source, const std::string& why) {
  return Error{ErrorCode::kFailedPrecondition, "QUANTIZE_SOURCE",
               "source " + Quote(source.first().path()) + ": " + why};
}

Status Check(const GgufShards& source) {
  if (source.tensors().empty()) {
    return Unusable(source, "has no tensors; allowed: a model's weights");
  }
  for (const TensorInfo* tensor : source.tensors()) {
    if (ggml_is_quantized(tensor->type)) {
      return Unusable(source, "is quantised already: tensor " + Quote(tensor->name) + " has type " +
                                  ggml_type_name(tensor->type) + "; allowed: f32, f16, bf16");
    }
  }
  return Ok();
}

ggml_type TargetType(const FileType& file_type, const TensorInfo& tensor, const ModelShape& shape) {
  if (IsKeptAsFloats(tensor)) {
    return GGML_TYPE_F32;
  }
  return IsQuantizable(tensor) ? TypeFor(file_type, tensor, shape) : tensor.type;
}

// No type takes more bytes an element than its source times two (F16 to F32), and the source fits
// into a file: nothing here overflows.
std::size_t SizeOf(const TensorInfo& tensor, ggml_type type) {
  const std::int64_t rows = tensor.shape[1] * tensor.shape[2] * tensor.shape[3];
  return ggml_row_size(type, tensor.shape[0]) * static_cast<std::size_t>(rows);
}

}  // namespace

Result<QuantizePlan> PlanQuantization(std::shared_ptr<const GgufShards> source,
                                      const FileType& file_type) {
  LLMR_RETURN_IF_ERROR(Check(*source));
  const std::size_t alignment = source->first().alignment();
  const ModelShape shape = ShapeOf(*source);
  QuantizePlan plan;
  std::size_t end = 0;
  for (const TensorInfo* tensor : source->tensors()) {
    const ggml_type type = TargetType(file_type, *tensor, shape);
    const std::size_t offset = RoundUp(end, alignment);
    plan.tensors.push_back(
        {.source = tensor, .type = type, .offset = offset, .size = SizeOf(*tensor, type)});
    end = offset + plan.tensors.back().size;
  }
  plan.header = BuildHeader(source->first(), file_type, plan.tensors);
  plan.size = plan.header.size() + RoundUp(end, alignment);
  plan.source = std::move(source);
  return plan;
}

}  // namespace llmr
