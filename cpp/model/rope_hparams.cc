#include "model/rope_hparams.h"

#include <limits>
#include <string>
#include <string_view>

#include "base/quote.h"

namespace llmr {
namespace {

Result<RopeScaling> ReadRopeScaling(const HparamsReader& reader) {
  constexpr std::string_view kKey = "rope.scaling.type";
  // Files from before that key was there scale linearly by another one.
  const std::string legacy = reader.Has("rope.scale_linear") ? "linear" : "none";
  LLMR_ASSIGN_OR_RETURN(const std::string type, reader.TextOr(kKey, legacy));
  if (type == "none") {
    return RopeScaling::kNone;
  }
  if (type == "linear") {
    return RopeScaling::kLinear;
  }
  if (type == "yarn") {
    return RopeScaling::kYarn;
  }
  return reader.Unsupported(kKey, Quote(type), "none, linear, yarn");
}

Status ReadYarn(const HparamsReader& reader, RopeHparams& rope) {
  constexpr float kMost = 1e6F;
  LLMR_ASSIGN_OR_RETURN(rope.attention_factor,
                        reader.NumberOr("rope.scaling.attn_factor", 1.0F, 0.0F, kMost));
  LLMR_ASSIGN_OR_RETURN(rope.beta_fast,
                        reader.NumberOr("rope.scaling.yarn_beta_fast", 32.0F, 0.0F, kMost));
  LLMR_ASSIGN_OR_RETURN(rope.beta_slow,
                        reader.NumberOr("rope.scaling.yarn_beta_slow", 1.0F, 0.0F, kMost));
  return Ok();
}

}  // namespace

Result<RopeHparams> ReadRope(const HparamsReader& reader, std::int32_t head_dim,
                             std::int32_t context_length) {
  RopeHparams rope;
  LLMR_ASSIGN_OR_RETURN(rope.dimensions,
                        reader.CountOr("rope.dimension_count", head_dim, 2, head_dim));
  if (rope.dimensions % 2 != 0) {
    return reader.Invalid("rope.dimension_count", std::to_string(rope.dimensions),
                          "even numbers up to the head dimension " + std::to_string(head_dim));
  }
  LLMR_ASSIGN_OR_RETURN(rope.base, reader.NumberOr("rope.freq_base", 10000.0F, 1.0F, 1e12F));
  LLMR_ASSIGN_OR_RETURN(rope.scaling, ReadRopeScaling(reader));
  LLMR_ASSIGN_OR_RETURN(rope.original_context,
                        reader.CountOr("rope.scaling.original_context_length", context_length, 1,
                                       std::numeric_limits<std::int32_t>::max()));
  if (rope.scaling == RopeScaling::kNone) {
    return rope;
  }
  const char* key = reader.Has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  LLMR_ASSIGN_OR_RETURN(rope.factor, reader.NumberOr(key, 1.0F, 0.0F, 1e6F));
  if (rope.scaling == RopeScaling::kYarn) {
    LLMR_RETURN_IF_ERROR(ReadYarn(reader, rope));
  }
  return rope;
}

}  // namespace llmr
