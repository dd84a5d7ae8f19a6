// A batch as the flat arrays that a graph takes, checked first.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "kernels/paged_attention.h"
#include "sched/batch.h"

namespace llmr {

// What a batch may hold.
struct BatchLimits {
  std::int32_t tokens = 0;
  std::int32_t outputs = 0;
  std::int32_t vocabulary = 0;
  std::int32_t positions = 0;  // of each sequence
  std::int32_t blocks = 0;
  std::int32_t block_size = 0;
};

// Errors: INVALID_ARGUMENT / BATCH_INVALID.
Status CheckBatch(const Batch& batch, const BatchLimits& limits);

// Consecutive items of a batch. REQUIRES of everything below: the batch passed CheckBatch().
using BatchItems = std::span<const BatchItem>;

std::int32_t TokenCount(BatchItems items);
std::int32_t OutputCount(BatchItems items);

std::vector<std::int32_t> Positions(BatchItems items);                       // one a token
std::vector<std::int64_t> Slots(BatchItems items, std::int32_t block_size);  // one a token
std::vector<std::int32_t> OutputTokens(BatchItems items);  // one an output: index of its token

// The block tables belong to the items.
AttentionBatch AttentionSpans(BatchItems items, std::int32_t block_size);

// Neighbours with equally many tokens each.
std::vector<BatchItems> EqualRuns(BatchItems items);

// Positions of the longest of the items.
std::int32_t LongestSequence(BatchItems items);

// For each item the slots of its positions 0, 1, 2 …, padded to `positions` with the slot of
// position 0.
std::vector<std::int32_t> GatherSlots(BatchItems items, std::int32_t positions,
                                      std::int32_t block_size);

// For each token of each item: 0 for its positions up to itself, minus infinity up to `positions`.
std::vector<float> CausalMask(BatchItems items, std::int32_t positions);

}  // namespace llmr
