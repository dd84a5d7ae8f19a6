#include "sample/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "sample/random.h"

namespace llmr {
namespace {

bool RepeatPenaltyOn(const SamplingParams& params) { return params.repeat_penalty != 1.0F; }

bool AnswerPenaltyOn(const SamplingParams& params) {
  return params.frequency_penalty != 0.0F || params.presence_penalty != 0.0F;
}

bool FilterOn(const SamplingParams& params) {
  return params.top_k > 0 || params.top_p < 1.0F || params.min_p > 0.0F;
}

// The first of the largest ones.
TokenId MostLikely(std::span<const float> logits) {
  return static_cast<TokenId>(std::ranges::max_element(logits) - logits.begin());
}

}  // namespace

Sampler::Sampler(SamplingParams params, std::int32_t vocabulary, std::span<const TokenId> prompt)
    : params_(std::move(params)), vocabulary_(vocabulary) {
  if (RepeatPenaltyOn(params_)) {
    seen_.insert(prompt.begin(), prompt.end());
  }
}

Result<SampledToken> Sampler::Sample(std::span<const float> logits, std::int32_t position) {
  if (logits.size() != static_cast<std::size_t>(vocabulary_)) {
    return Error{
        ErrorCode::kInternal, "LOGITS_SHAPE",
        std::to_string(logits.size()) + " logits; allowed: " + std::to_string(vocabulary_)};
  }
  LLMR_RETURN_IF_ERROR(CheckLogits(logits));
  const std::span<const float> adjusted = Adjust(logits);
  LLMR_RETURN_IF_ERROR(CheckLogits(adjusted));  // a penalty may overflow huge logits
  SampledToken sampled{Draw(adjusted, position), std::nullopt};
  if (params_.logprobs >= 0) {
    sampled.logprob = ScoreToken(logits, sampled.token, params_.logprobs);
  }
  Remember(sampled.token);
  return sampled;
}

// The logits after bias and penalties: those given where there are none.
std::span<const float> Sampler::Adjust(std::span<const float> logits) {
  if (params_.logit_bias.empty() && seen_.empty() && counts_.empty()) {
    return logits;
  }
  adjusted_.assign(logits.begin(), logits.end());
  for (const auto& [token, bias] : params_.logit_bias) {
    adjusted_[static_cast<std::size_t>(token)] += bias;
  }
  Penalise();
  return adjusted_;
}

void Sampler::Penalise() {
  for (const TokenId token : seen_) {
    float& logit = adjusted_[static_cast<std::size_t>(token)];
    logit = logit > 0 ? logit / params_.repeat_penalty : logit * params_.repeat_penalty;
  }
  for (const auto& [token, count] : counts_) {
    adjusted_[static_cast<std::size_t>(token)] -=
        params_.frequency_penalty * static_cast<float>(count) + params_.presence_penalty;
  }
}

TokenId Sampler::Draw(std::span<const float> logits, std::int32_t position) {
  if (params_.temperature == 0.0F) {
    return MostLikely(logits);
  }
  const double uniform = UniformAt(params_.seed, static_cast<std::uint64_t>(position));
  return FilterOn(params_) ? DrawFromLikely(logits, uniform) : DrawFromAll(logits, uniform);
}

// Proportional to the probability; 1 for the most likely token.
double Sampler::Weight(float logit, float most) const {
  return std::exp((static_cast<double>(logit) - static_cast<double>(most)) /
                  static_cast<double>(params_.temperature));
}

TokenId Sampler::DrawFromAll(std::span<const float> logits, double uniform) const {
  const TokenId likeliest = MostLikely(logits);
  const float most = logits[static_cast<std::size_t>(likeliest)];
  double total = 0;
  for (const float logit : logits) {
    total += Weight(logit, most);
  }
  double sum = 0;
  for (std::size_t token = 0; token < logits.size(); ++token) {
    sum += Weight(logits[token], most);
    if (sum > uniform * total) {
      return static_cast<TokenId>(token);
    }
  }
  return likeliest;  // uniform × total rounded up to total
}

bool Sampler::Ahead(const Candidate& left, const Candidate& right) {
  return left.logit > right.logit || (left.logit == right.logit && left.token < right.token);
}

TokenId Sampler::DrawFromLikely(std::span<const float> logits, double uniform) {
  TakeLikely(logits);
  const float most = likely_.front().logit;
  double total = 0;
  for (const Candidate& candidate : likely_) {
    total += Weight(candidate.logit, most);
  }
  double sum = 0;
  for (const Candidate& candidate : likely_) {
    sum += Weight(candidate.logit, most);
    if (sum > uniform * total) {
      return candidate.token;
    }
  }
  return likely_.front().token;  // uniform × total rounded up to total
}

// Leaves in likely_ what top_k, top_p and min_p keep, most likely first.
void Sampler::TakeLikely(std::span<const float> logits) {
  likely_.resize(logits.size());
  for (std::size_t token = 0; token < logits.size(); ++token) {
    likely_[token] = {static_cast<TokenId>(token), logits[token]};
  }
  const auto top_k = static_cast<std::size_t>(params_.top_k);
  if (top_k > 0 && top_k < likely_.size()) {
    std::nth_element(likely_.begin(), likely_.begin() + params_.top_k, likely_.end(), Ahead);
    likely_.resize(top_k);
  }
  KeepNucleus();
}

// top_p and min_p keep a beginning of the order, so only as much of it is sorted as is needed.
void Sampler::KeepNucleus() {
  const float most = std::ranges::min_element(likely_, Ahead)->logit;
  double enough = std::numeric_limits<double>::infinity();
  if (params_.top_p < 1.0F) {
    double total = 0;
    for (const Candidate& candidate : likely_) {
      total += Weight(candidate.logit, most);
    }
    enough = total * static_cast<double>(params_.top_p);
  }
  double sum = 0;
  std::size_t sorted = 0;
  std::size_t kept = 0;
  for (; kept < likely_.size() && sum < enough; ++kept) {
    if (kept == sorted) {
      sorted = std::min(likely_.size(), 2 * sorted + 256);
      std::partial_sort(likely_.begin() + static_cast<std::ptrdiff_t>(kept),
                        likely_.begin() + static_cast<std::ptrdiff_t>(sorted), likely_.end(),
                        Ahead);
    }
    const double weight = Weight(likely_[kept].logit, most);
    if (weight < static_cast<double>(params_.min_p)) {
      break;
    }
    sum += weight;
  }
  likely_.resize(kept);
}

void Sampler::Remember(TokenId token) {
  if (RepeatPenaltyOn(params_)) {
    seen_.insert(token);
  }
  if (AnswerPenaltyOn(params_)) {
    ++counts_[token];
  }
}

}  // namespace llmr
