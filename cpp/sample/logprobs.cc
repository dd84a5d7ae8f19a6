#include "sample/logprobs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace llmr {
namespace {

double LogOfSum(std::span<const float> logits) {
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit) - most);
  }
  return most + std::log(sum);
}

// Ids of the largest logits, largest first; equal ones by id.
std::vector<TokenId> Largest(std::span<const float> logits, std::size_t count) {
  const auto ahead = [&](TokenId left, TokenId right) {
    const float a = logits[static_cast<std::size_t>(left)];
    const float b = logits[static_cast<std::size_t>(right)];
    return a > b || (a == b && left < right);
  };
  std::vector<TokenId> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(std::min(count, ids.size()));
  std::partial_sort(ids.begin(), end, ids.end(), ahead);
  ids.erase(end, ids.end());
  return ids;
}

}  // namespace

Status CheckLogits(std::span<const float> logits) {
  float most = -std::numeric_limits<float>::infinity();
  bool nan = false;
  for (const float logit : logits) {
    nan = nan || std::isnan(logit);
    most = std::max(most, logit);
  }
  if (nan || !std::isfinite(most)) {
    return Error{ErrorCode::kFailedPrecondition, "MODEL_NUMERICS",
                 nan ? "the model's logits contain NaN"
                     : "the model's largest logit is " + std::to_string(most)};
  }
  return Ok();
}

TokenLogprob ScoreToken(std::span<const float> logits, TokenId token, std::int32_t alternatives) {
  const double normaliser = LogOfSum(logits);
  const auto logprob = [&](TokenId id) {
    return static_cast<double>(logits[static_cast<std::size_t>(id)]) - normaliser;
  };
  TokenLogprob scored{token, logprob(token), {}};
  if (alternatives > 0) {
    for (const TokenId id : Largest(logits, static_cast<std::size_t>(alternatives))) {
      scored.top.emplace_back(id, logprob(id));
    }
  }
  return scored;
}

}  // namespace llmr
