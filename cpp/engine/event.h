// What happened to a request in a step: plain data from the engine's thread to whoever drains.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "sample/logprobs.h"

namespace llmr {

// At most one a request and step. The first has `started`; the last, and only the last, a
// finish_reason.
struct Event {
  SequenceId id = 0;
  bool started = false;  // the prompt is computed, the first token sampled
  std::string text;      // whole UTF-8 characters, without stop strings
  std::vector<TokenId> token_ids;
  std::vector<TokenLogprob> logprobs;                        // one a token, where asked for
  std::vector<std::optional<TokenLogprob>> prompt_logprobs;  // with `started`; the first is absent

  std::string finish_reason;  // "stop", "length", "cancelled", "failed"; "" while it goes on
  std::string error_code;     // a gRPC code's name; these three where failed
  std::string error_reason;
  std::string error_message;

  // Set where started, and on the last event.
  std::int32_t prompt_tokens = 0;
  std::int32_t cached_tokens = 0;      // of the prompt, not computed again
  std::int32_t completion_tokens = 0;  // so far, without the end token
  double queue_ms = 0;                 // from submission to the first step
  double first_token_ms = 0;           // from submission to the first token
  TokenId stop_token = -1;             // the end token that ended the answer
};

struct EngineStats {
  std::int32_t running = 0;
  std::int32_t waiting = 0;
  std::int32_t blocks_total = 0;
  std::int32_t blocks_free = 0;  // free or evictable
  std::int32_t blocks_held = 0;  // referenced by requests or held conversations
  std::uint64_t computed_tokens = 0;
  std::uint64_t cached_tokens = 0;
  std::uint64_t steps = 0;
  std::uint64_t preemptions = 0;
};

}  // namespace llmr
