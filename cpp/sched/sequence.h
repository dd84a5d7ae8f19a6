// One request's tokens and how far the model has got with them: plain data.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace llmr {

struct SequenceRequest {
  SequenceId id = 0;
  std::vector<TokenId> prompt;
  std::int32_t max_tokens = 0;  // to generate at most; 0: as far as context and KV cache go
  double deadline = std::numeric_limits<double>::infinity();  // seconds, on the clock of `now`
  std::uint64_t caller = 0;                                   // who asks, for fairness
  bool hold = false;          // keep the finished conversation's blocks for its next turn
  bool score_prompt = false;  // logits of every prompt position are wanted, so none is reused
};

enum class SequenceState {
  kWaiting,  // holds no blocks; everything is yet to be computed, or again after preemption
  kRunning,  // holds blocks for all of its tokens
};

struct Sequence {
  SequenceId id = 0;
  std::uint64_t caller = 0;
  double deadline = 0;            // as given
  double effective_deadline = 0;  // what the schedule goes by
  bool hold = false;
  bool score_prompt = false;

  std::vector<TokenId> tokens;  // prompt and answer
  std::int32_t prompt_tokens = 0;
  std::int32_t max_tokens = 0;     // of the answer, at least 1
  std::int32_t cached_tokens = 0;  // of the prompt, found in the cache when first admitted

  SequenceState state = SequenceState::kWaiting;
  bool paused = false;
  bool admitted = false;  // has been running at least once
  std::vector<BlockId> blocks;
  std::int32_t computed = 0;       // tokens whose keys and values lie in `blocks`
  std::int32_t sealed_blocks = 0;  // the first ones, which others may share
  std::int32_t scored = 0;         // prompt positions whose logits were delivered
  std::int32_t charged = 0;        // tokens that the caller's account has paid for
  std::int32_t in_flight = 0;      // tokens in the batch under way
  std::uint64_t last_step = 0;     // when it last took part

  std::int32_t size() const { return static_cast<std::int32_t>(tokens.size()); }
  // Tokens to compute before the next one can be sampled; at least 1 while it lives.
  std::int32_t pending() const { return size() - computed; }
  std::int32_t generated() const { return size() - prompt_tokens; }

  // Larger ones are preempted first. The id makes the order total.
  std::pair<double, SequenceId> urgency() const { return {effective_deadline, id}; }

  // Logits of prompt positions are still to be delivered, the first of the next chunk from here.
  bool scoring() const { return score_prompt && scored < prompt_tokens; }
  std::int32_t first_scored() const { return std::max(computed, scored); }

  // Rows of logits that a chunk of so many tokens is to give.
  std::int32_t outputs_of(std::int32_t chunk) const {
    const std::int32_t end = computed + chunk;
    return scoring() ? std::max(0, end - first_scored()) : (end == size() ? 1 : 0);
  }
};

}  // namespace llmr
