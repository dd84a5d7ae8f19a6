#include "sched/token_limit.h"

#include <algorithm>
#include <string>

namespace llmr {
namespace {

Error Invalid(const std::string& reason, const std::string& message) {
  return Error{ErrorCode::kInvalidArgument, reason, message};
}

}  // namespace

Result<std::int32_t> TokenLimit(std::size_t prompt_tokens, std::int32_t max_tokens,
                                std::int32_t context_length, std::int64_t kv_tokens) {
  if (prompt_tokens == 0) {
    return Invalid("EMPTY_PROMPT", "the prompt has no tokens; allowed: at least 1");
  }
  if (max_tokens < 0) {
    return Invalid("MAX_TOKENS", "max_tokens is " + std::to_string(max_tokens) +
                                     "; allowed: 0 (as far as the context goes) or more");
  }
  if (prompt_tokens >= static_cast<std::size_t>(context_length)) {
    return Invalid("CONTEXT_LENGTH_EXCEEDED",
                   "the prompt has " + std::to_string(prompt_tokens) +
                       " tokens; allowed: at most " + std::to_string(context_length - 1) +
                       ", one less than the context of " + std::to_string(context_length));
  }
  const auto prompt = static_cast<std::int32_t>(prompt_tokens);
  const std::int32_t rest = context_length - prompt;
  // The last token of an answer is never computed, so it needs no room.
  const std::int64_t room = kv_tokens - prompt + 1;
  const std::int64_t wanted = max_tokens == 0 ? 1 : std::min(max_tokens, rest);
  if (wanted > room) {
    return Error{ErrorCode::kResourceExhausted, "KV_TOO_SMALL",
                 "prompt and answer need a KV cache of " + std::to_string(prompt + wanted - 1) +
                     " tokens; the whole cache has " + std::to_string(kv_tokens)};
  }
  return static_cast<std::int32_t>(max_tokens == 0 ? std::min<std::int64_t>(rest, room) : wanted);
}

}  // namespace llmr
