#include "engine/request.h"

#include <algorithm>
#include <utility>

namespace llmr {

Request::Request(SequenceId id, Submission submission, std::int32_t max_tokens,
                 std::shared_ptr<const Vocabulary> vocabulary, double now)
    : id_(id),
      vocabulary_(std::move(vocabulary)),
      prompt_tokens_(static_cast<std::int32_t>(submission.tokens.size())),
      max_tokens_(max_tokens),
      prompt_alternatives_(submission.sampling.prompt_logprobs),
      ignore_eos_(submission.ignore_eos),
      submitted_(now),
      sampler_(std::move(submission.sampling), vocabulary_->size(), submission.tokens),
      decoder_(std::move(submission.stop)) {
  sequence_.id = id;
  sequence_.prompt = std::move(submission.tokens);
  sequence_.max_tokens = max_tokens;
  sequence_.deadline = now + submission.deadline;
  sequence_.caller = submission.caller;
  sequence_.hold = submission.hold;
  sequence_.score_prompt = prompt_alternatives_ >= 0;
  if (sequence_.score_prompt) {
    event_.prompt_logprobs.emplace_back(std::nullopt);
  }
}

SequenceRequest Request::TakeSequence() { return std::move(sequence_); }

void Request::Begin(double now) {
  if (!begun_.has_value()) {
    begun_ = now;
  }
}

Status Request::ScorePrompt(std::span<const float> logits, std::int32_t position, TokenId next) {
  // After preemption some rows may come a second time.
  const bool wanted = prompt_alternatives_ >= 0 && !started_ &&
                      static_cast<std::size_t>(position) + 1 == event_.prompt_logprobs.size();
  if (!wanted) {
    return Ok();
  }
  LLMR_RETURN_IF_ERROR(CheckLogits(logits));
  event_.prompt_logprobs.emplace_back(ScoreToken(logits, next, prompt_alternatives_));
  return Ok();
}

Result<bool> Request::Advance(std::span<const float> logits, std::int32_t position, double now) {
  LLMR_ASSIGN_OR_RETURN(SampledToken sampled, sampler_.Sample(logits, position));
  last_token_ = sampled.token;
  if (!started_) {
    started_ = true;
    first_token_ = now;
    event_.started = true;
  }
  if (vocabulary_->Ends(sampled.token) && !ignore_eos_) {
    event_.stop_token = sampled.token;
    Finish("stop");
    return true;
  }
  AddToAnswer(std::move(sampled));
  if (decoder_.stopped()) {
    Finish("stop");
  } else if (completion_tokens_ == max_tokens_) {
    Finish("length");
  }
  return !event_.finish_reason.empty();
}

void Request::AddToAnswer(SampledToken sampled) {
  ++completion_tokens_;
  event_.token_ids.push_back(sampled.token);
  if (sampled.logprob.has_value()) {
    event_.logprobs.push_back(*std::move(sampled.logprob));
  }
  event_.text += decoder_.Push(vocabulary_->Bytes(sampled.token));
}

void Request::Cancel() { Finish("cancelled"); }

void Request::Fail(const std::string& code, const std::string& reason, const std::string& message) {
  Finish("failed");
  event_.error_code = code;
  event_.error_reason = reason;
  event_.error_message = message;
}

void Request::Finish(const std::string& reason) {
  event_.text += decoder_.Flush();
  event_.finish_reason = reason;
  if (!started_) {
    event_.prompt_logprobs.clear();  // incomplete
  }
}

Event Request::TakeEvent(std::int32_t cached_tokens) {
  const auto milliseconds = [&](const std::optional<double>& moment) {
    return moment.has_value() ? (*moment - submitted_) * 1000 : 0;
  };
  event_.id = id_;
  if (event_.started || !event_.finish_reason.empty()) {
    event_.prompt_tokens = prompt_tokens_;
    event_.cached_tokens = cached_tokens;
    event_.completion_tokens = completion_tokens_;
    event_.queue_ms = milliseconds(begun_);
    event_.first_token_ms = milliseconds(first_token_);
  }
  ++undelivered_;
  return std::exchange(event_, Event{});
}

void Request::Acknowledge(std::int64_t events) {
  undelivered_ -= std::clamp<std::int64_t>(events, 0, undelivered_);
}

}  // namespace llmr
