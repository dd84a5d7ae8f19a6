// How long an answer may become.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace llmr {

// How many tokens a request will generate at most: `max_tokens`, or up to the context's end.
// Errors: INVALID_ARGUMENT / EMPTY_PROMPT, MAX_TOKENS, CONTEXT_LENGTH_EXCEEDED;
// RESOURCE_EXHAUSTED / KV_TOO_SMALL where `kv_tokens` (the whole pool) could never hold it.
Result<std::int32_t> TokenLimit(std::size_t prompt_tokens, std::int32_t max_tokens,
                                std::int32_t context_length, std::int64_t kv_tokens);

}  // namespace llmr
