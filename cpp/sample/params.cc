#include "sample/params.h"

#include <sstream>
#include <string>

namespace llmr {
namespace {

template <class T>
Error Invalid(const std::string& field, T value, const std::string& allowed) {
  std::ostringstream message;
  message << field << " is " << value << "; allowed: " << allowed;
  return Error{ErrorCode::kInvalidArgument, "SAMPLING_PARAMS", message.str()};
}

// Written so that NaN is outside.
Status CheckRange(const std::string& field, float value, float least, float most) {
  if (!(value >= least && value <= most)) {
    std::ostringstream allowed;
    allowed << least << " to " << most;
    return Invalid(field, value, allowed.str());
  }
  return Ok();
}

Status CheckAboveZero(const std::string& field, float value, float most) {
  if (!(value > 0 && value <= most)) {
    std::ostringstream allowed;
    allowed << "above 0, to " << most;
    return Invalid(field, value, allowed.str());
  }
  return Ok();
}

Status CheckAlternatives(const std::string& field, std::int32_t value) {
  if (value < -1 || value > kMaxTopLogprobs) {
    return Invalid(field, value, "-1 (none) to " + std::to_string(kMaxTopLogprobs));
  }
  return Ok();
}

Status CheckBias(const SamplingParams& params, std::int32_t vocabulary) {
  for (const auto& [token, bias] : params.logit_bias) {
    if (token < 0 || token >= vocabulary) {
      return Invalid("logit_bias token", token, "0 to " + std::to_string(vocabulary - 1));
    }
    LLMR_RETURN_IF_ERROR(
        CheckRange("logit_bias of token " + std::to_string(token), bias, -100, 100));
  }
  return Ok();
}

}  // namespace

Status Validate(const SamplingParams& params, std::int32_t vocabulary) {
  LLMR_RETURN_IF_ERROR(CheckRange("temperature", params.temperature, 0, 100));
  if (params.top_k < 0) {
    return Invalid("top_k", params.top_k, "0 (off) or more");
  }
  LLMR_RETURN_IF_ERROR(CheckAboveZero("top_p", params.top_p, 1));
  LLMR_RETURN_IF_ERROR(CheckRange("min_p", params.min_p, 0, 1));
  LLMR_RETURN_IF_ERROR(CheckAboveZero("repeat_penalty", params.repeat_penalty, 100));
  LLMR_RETURN_IF_ERROR(CheckRange("frequency_penalty", params.frequency_penalty, -100, 100));
  LLMR_RETURN_IF_ERROR(CheckRange("presence_penalty", params.presence_penalty, -100, 100));
  LLMR_RETURN_IF_ERROR(CheckAlternatives("logprobs", params.logprobs));
  LLMR_RETURN_IF_ERROR(CheckAlternatives("prompt_logprobs", params.prompt_logprobs));
  return CheckBias(params, vocabulary);
}

}  // namespace llmr
