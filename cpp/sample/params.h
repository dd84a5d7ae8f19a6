// How a token is chosen from the model's logits: one request's settings.
#pragma once

#include <cstdint>
#include <map>

#include "base/ids.h"
#include "base/status.h"

namespace llmr {

struct SamplingParams {
  float temperature = 1.0F;  // 0 to 100; 0: always the most likely token
  std::int32_t top_k = 0;    // at least 0; 0: off
  float top_p = 1.0F;        // above 0, to 1; 1: off
  float min_p = 0.0F;        // 0 to 1; 0: off
  std::uint64_t seed = 0;
  float repeat_penalty = 1.0F;          // above 0, to 100; 1: off
  float frequency_penalty = 0.0F;       // -100 to 100; 0: off
  float presence_penalty = 0.0F;        // -100 to 100; 0: off
  std::map<TokenId, float> logit_bias;  // -100 to 100
  std::int32_t logprobs = -1;         // alternatives beside the token; 0: the token's only; -1: off
  std::int32_t prompt_logprobs = -1;  // likewise for the prompt
};

// Most alternatives that logprobs may ask for at a position.
inline constexpr std::int32_t kMaxTopLogprobs = 100;

// Errors: INVALID_ARGUMENT / SAMPLING_PARAMS naming field, value and what is allowed.
Status Validate(const SamplingParams& params, std::int32_t vocabulary);

}  // namespace llmr
