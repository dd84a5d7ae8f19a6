// What the engine computes in one step: plain data between scheduler, runner and sampler.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace llmr {

// One sequence's share of a step: `token_count` consecutive tokens of it.
struct BatchItem {
  SequenceId sequence = 0;
  std::int32_t first_token = 0;     // index of its first token in Batch::tokens
  std::int32_t token_count = 0;     // at least 1
  std::int32_t start_position = 0;  // position of that token; all before it lie in the KV cache
  std::int32_t first_output = 0;    // index of its first row of logits
  std::int32_t output_count = 0;    // logits are wanted for its last `output_count` tokens
  std::vector<BlockId> blocks;      // block table; covers start_position + token_count positions
};

// Invariants: items lie in `tokens` one behind the other without gaps, and so do their outputs.
struct Batch {
  std::vector<TokenId> tokens;
  std::vector<BatchItem> items;

  [[nodiscard]] std::int32_t output_count() const {
    return items.empty() ? 0 : items.back().first_output + items.back().output_count;
  }
};

}  // namespace llmr
