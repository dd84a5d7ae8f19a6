#include "engine/batch_inputs.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

namespace llmr {
namespace {

Error Invalid(const std::string& message) {
  return Error{ErrorCode::kInvalidArgument, "BATCH_INVALID", "batch: " + message};
}

std::int64_t Slot(const BatchItem& item, std::int32_t position, std::int32_t block_size) {
  const auto block = static_cast<std::size_t>(position / block_size);
  return std::int64_t{item.blocks[block]} * block_size + position % block_size;
}

std::int32_t Length(const BatchItem& item) { return item.start_position + item.token_count; }

Status CheckBlocks(const BatchItem& item, const BatchLimits& limits) {
  const std::int64_t length = std::int64_t{item.start_position} + item.token_count;
  const auto covered =
      static_cast<std::int64_t>(item.blocks.size()) * std::int64_t{limits.block_size};
  if (length > covered || length > std::numeric_limits<std::int32_t>::max()) {
    return Invalid("block table covers " + std::to_string(covered) + " of " +
                   std::to_string(length) + " positions");
  }
  if (length > limits.positions) {
    return Invalid(std::to_string(length) + " positions of " + std::to_string(limits.positions));
  }
  for (const BlockId block : item.blocks) {
    if (block < 0 || block >= limits.blocks) {
      return Invalid("block " + std::to_string(block) + " of " + std::to_string(limits.blocks));
    }
  }
  return Ok();
}

Status CheckItem(const BatchItem& item, const BatchLimits& limits) {
  if (item.token_count < 1 || item.start_position < 0 || item.output_count < 0 ||
      item.output_count > item.token_count) {
    return Invalid("an item of " + std::to_string(item.token_count) + " tokens at position " +
                   std::to_string(item.start_position) + " with " +
                   std::to_string(item.output_count) + " outputs");
  }
  return CheckBlocks(item, limits);
}

}  // namespace

Status CheckBatch(const Batch& batch, const BatchLimits& limits) {
  if (batch.items.empty() || batch.tokens.size() > static_cast<std::size_t>(limits.tokens)) {
    return Invalid(std::to_string(batch.tokens.size()) + " tokens in " +
                   std::to_string(batch.items.size()) + " items; allowed: 1 to " +
                   std::to_string(limits.tokens) + " tokens");
  }
  std::int64_t tokens = 0;
  std::int64_t outputs = 0;
  for (const BatchItem& item : batch.items) {
    if (item.first_token != tokens || item.first_output != outputs) {
      return Invalid("items overlap or leave gaps");
    }
    LLMR_RETURN_IF_ERROR(CheckItem(item, limits));
    tokens += item.token_count;
    outputs += item.output_count;
  }
  if (tokens != static_cast<std::int64_t>(batch.tokens.size()) || outputs > limits.outputs) {
    return Invalid("items hold " + std::to_string(tokens) + " of " +
                   std::to_string(batch.tokens.size()) + " tokens and " + std::to_string(outputs) +
                   " outputs; allowed: " + std::to_string(limits.outputs) + " outputs");
  }
  for (const TokenId token : batch.tokens) {
    if (token < 0 || token >= limits.vocabulary) {
      return Invalid("token " + std::to_string(token) + " of " + std::to_string(limits.vocabulary));
    }
  }
  return Ok();
}

std::int32_t TokenCount(BatchItems items) {
  return items.back().first_token + items.back().token_count - items.front().first_token;
}

std::int32_t OutputCount(BatchItems items) {
  return items.back().first_output + items.back().output_count - items.front().first_output;
}

std::vector<std::int32_t> Positions(BatchItems items) {
  std::vector<std::int32_t> positions;
  for (const BatchItem& item : items) {
    for (std::int32_t i = 0; i < item.token_count; ++i) {
      positions.push_back(item.start_position + i);
    }
  }
  return positions;
}

std::vector<std::int64_t> Slots(BatchItems items, std::int32_t block_size) {
  std::vector<std::int64_t> slots;
  for (const BatchItem& item : items) {
    for (std::int32_t i = 0; i < item.token_count; ++i) {
      slots.push_back(Slot(item, item.start_position + i, block_size));
    }
  }
  return slots;
}

std::vector<std::int32_t> OutputTokens(BatchItems items) {
  const std::int32_t base = items.front().first_token;
  std::vector<std::int32_t> tokens;
  for (const BatchItem& item : items) {
    const std::int32_t end = item.first_token + item.token_count - base;
    for (std::int32_t token = end - item.output_count; token < end; ++token) {
      tokens.push_back(token);
    }
  }
  return tokens;
}

AttentionBatch AttentionSpans(BatchItems items, std::int32_t block_size) {
  const std::int32_t base = items.front().first_token;
  AttentionBatch batch;
  batch.block_size = block_size;
  for (const BatchItem& item : items) {
    batch.spans.push_back(
        {item.first_token - base, item.token_count, item.start_position, item.blocks.data()});
  }
  return batch;
}

std::vector<BatchItems> EqualRuns(BatchItems items) {
  std::vector<BatchItems> runs;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= items.size(); ++i) {
    if (i == items.size() || items[i].token_count != items[begin].token_count) {
      runs.push_back(items.subspan(begin, i - begin));
      begin = i;
    }
  }
  return runs;
}

std::int32_t LongestSequence(BatchItems items) {
  std::int32_t longest = 0;
  for (const BatchItem& item : items) {
    longest = std::max(longest, Length(item));
  }
  return longest;
}

std::vector<std::int32_t> GatherSlots(BatchItems items, std::int32_t positions,
                                      std::int32_t block_size) {
  std::vector<std::int32_t> slots;
  for (const BatchItem& item : items) {
    for (std::int32_t position = 0; position < positions; ++position) {
      const std::int32_t present = position < Length(item) ? position : 0;
      slots.push_back(static_cast<std::int32_t>(Slot(item, present, block_size)));
    }
  }
  return slots;
}

std::vector<float> CausalMask(BatchItems items, std::int32_t positions) {
  std::vector<float> mask;
  for (const BatchItem& item : items) {
    for (std::int32_t token = 0; token < item.token_count; ++token) {
      const auto visible = static_cast<std::size_t>(item.start_position + token + 1);
      mask.insert(mask.end(), visible, 0.0F);
      mask.insert(mask.end(), static_cast<std::size_t>(positions) - visible,
                  -std::numeric_limits<float>::infinity());
    }
  }
  return mask;
}

}  // namespace llmr
