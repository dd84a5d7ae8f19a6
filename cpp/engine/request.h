// One request on its way: its sampler, its text, and the next event that tells about it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/status.h"
#include "engine/event.h"
#include "engine/stream_decoder.h"
#include "engine/submission.h"
#include "engine/vocabulary.h"
#include "sample/sampler.h"
#include "sched/sequence.h"

namespace llmr {

// Made in the caller's thread, then owned by the engine's. Not thread-safe.
class Request {
 public:
  // `max_tokens` is the answer's real limit; `now` is the moment of submission, in seconds.
  // REQUIRES: Validate(submission) passed.
  Request(SequenceId id, Submission submission, std::int32_t max_tokens,
          std::shared_ptr<const Vocabulary> vocabulary, double now);

  SequenceId id() const { return id_; }

  // What the scheduler is to know. Once: it takes the prompt along.
  SequenceRequest TakeSequence();

  // It takes part in a step for the first time (later calls change nothing).
  void Begin(double now);

  // The logits at `position` of the prompt, where prompt log-probabilities are wanted: scores
  // `next`, the prompt's token behind it. Errors: FAILED_PRECONDITION / MODEL_NUMERICS.
  Status ScorePrompt(std::span<const float> logits, std::int32_t position, TokenId next);

  // Samples the token at `position` and takes it into the answer. True where that ends it.
  // Errors: those of Sampler::Sample.
  Result<bool> Advance(std::span<const float> logits, std::int32_t position, double now);
  TokenId last_token() const { return last_token_; }

  void Cancel();
  void Fail(const std::string& code, const std::string& reason, const std::string& message);

  // What happened since the last call. `cached_tokens`: of the prompt.
  Event TakeEvent(std::int32_t cached_tokens);

  // Events that were taken here and not acknowledged.
  void Acknowledge(std::int64_t events);
  std::int64_t undelivered() const { return undelivered_; }

 private:
  void AddToAnswer(SampledToken sampled);
  void Finish(const std::string& reason);

  const SequenceId id_;
  const std::shared_ptr<const Vocabulary> vocabulary_;
  SequenceRequest sequence_;
  const std::int32_t prompt_tokens_;
  const std::int32_t max_tokens_;
  const std::int32_t prompt_alternatives_;  // -1: no prompt log-probabilities
  const bool ignore_eos_;
  const double submitted_;

  Sampler sampler_;
  StreamDecoder decoder_;
  TokenId last_token_ = -1;
  std::int32_t completion_tokens_ = 0;
  bool started_ = false;
  std::optional<double> begun_;
  std::optional<double> first_token_;
  std::int64_t undelivered_ = 0;
  Event event_;  // what the next TakeEvent gives
};

}  // namespace llmr
