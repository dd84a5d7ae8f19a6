// Natural log-probabilities of the model's own distribution: before bias, penalties, temperature.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/status.h"

namespace llmr {

struct TokenLogprob {
  TokenId token = 0;
  double logprob = 0;
  std::vector<std::pair<TokenId, double>> top;  // most likely first; equal ones by id
};

// Errors: FAILED_PRECONDITION / MODEL_NUMERICS where a logit is NaN or +inf, or all are -inf.
Status CheckLogits(std::span<const float> logits);

// The log-probability of `token` and of the `alternatives` most likely ones (fewer where the
// vocabulary has fewer). Computed in double in the order of the vocabulary, so that it depends on
// nothing else. REQUIRES: CheckLogits passed, and token is an index into logits.
TokenLogprob ScoreToken(std::span<const float> logits, TokenId token, std::int32_t alternatives);

}  // namespace llmr
