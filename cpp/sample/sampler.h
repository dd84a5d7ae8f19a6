// Chooses the next token of one request.
//
// The order: raw log-probabilities are taken from the untouched logits; then logit bias; repeat
// penalty (prompt and answer: a positive logit is divided by it, another multiplied); frequency
// and presence penalty (answer only: once per occurrence, and once); temperature; top_k; top_p;
// min_p; the draw. Temperature 0 takes the largest logit after the penalties, the lowest id where
// several are equal. top_p keeps the smallest set of most likely tokens that holds at least so
// much of what top_k left; min_p keeps tokens at least so likely relative to the most likely one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "sample/logprobs.h"
#include "sample/params.h"

namespace llmr {

struct SampledToken {
  TokenId token = 0;
  std::optional<TokenLogprob> logprob;  // where params.logprobs asks for it
};

// Holds the history that penalties need. Depends on params, prompt, earlier tokens, logits and
// position alone: the same in any batch and after preemption. Not thread-safe.
class Sampler {
 public:
  // REQUIRES: Validate(params, vocabulary) passed, and the prompt's tokens are in the vocabulary.
  Sampler(SamplingParams params, std::int32_t vocabulary, std::span<const TokenId> prompt);

  // Chooses the token at `position` (tokens before it in prompt and answer) and takes it into the
  // history. Errors: INTERNAL / LOGITS_SHAPE for another number of logits than the vocabulary's;
  // FAILED_PRECONDITION / MODEL_NUMERICS, and then nothing changes.
  Result<SampledToken> Sample(std::span<const float> logits, std::int32_t position);

  const SamplingParams& params() const { return params_; }

 private:
  struct Candidate {
    TokenId token;
    float logit;
  };

  std::span<const float> Adjust(std::span<const float> logits);
  void Penalise();
  TokenId Draw(std::span<const float> logits, std::int32_t position);
  TokenId DrawFromAll(std::span<const float> logits, double uniform) const;
  TokenId DrawFromLikely(std::span<const float> logits, double uniform);
  void TakeLikely(std::span<const float> logits);
  void KeepNucleus();
  static bool Ahead(const Candidate& left, const Candidate& right);  // more likely; then lower id
  double Weight(float logit, float most) const;
  void Remember(TokenId token);

  SamplingParams params_;
  std::int32_t vocabulary_;
  std::set<TokenId> seen_;                  // in prompt and answer; for the repeat penalty
  std::map<TokenId, std::int32_t> counts_;  // in the answer
  std::vector<float> adjusted_;             // scratch, kept for its memory
  std::vector<Candidate> likely_;           // scratch, likewise
};

}  // namespace llmr
