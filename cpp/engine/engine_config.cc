#include "engine/engine_config.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/quote.h"

namespace llmr {
namespace {

constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();

Error Invalid(const char* field, std::int64_t value, const std::string& allowed) {
  return Error{ErrorCode::kInvalidArgument, "ENGINE_CONFIG",
               std::string(field) + " is " + std::to_string(value) + "; allowed: " + allowed};
}

Status CheckRange(const char* field, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value < least || value > most) {
    return Invalid(field, value, std::to_string(least) + " to " + std::to_string(most));
  }
  return Ok();
}

Status CheckAdapters(const EngineConfig& config) {
  constexpr std::int64_t kMost = 16;
  constexpr float kMostScale = 1000.0F;
  LLMR_RETURN_IF_ERROR(CheckRange("number of adapters",
                                  static_cast<std::int64_t>(config.adapters.size()), 0, kMost));
  for (const auto& [path, scale] : config.adapters) {
    if (!(std::abs(scale) <= kMostScale)) {  // NaN too
      return Error{ErrorCode::kInvalidArgument, "ENGINE_CONFIG",
                   "the scale of adapter " + Quote(path) + " is " + std::to_string(scale) +
                       "; allowed: -1000 to 1000"};
    }
  }
  return Ok();
}

// Bytes that the KV cache may take.
std::size_t Budget(const EngineConfig& config, const SizeInputs& inputs) {
  constexpr std::size_t kFallback = std::size_t{1} << 30;
  const std::size_t quarter = inputs.available_memory > 0 ? inputs.available_memory / 4 : kFallback;
  return config.kv_bytes > 0 ? static_cast<std::size_t>(config.kv_bytes) : quarter;
}

Result<std::int64_t> ExplicitBlocks(const EngineConfig& config, const SizeInputs& inputs) {
  const std::size_t limit = config.kv_bytes > 0 ? static_cast<std::size_t>(config.kv_bytes)
                            : inputs.available_memory > 0 ? inputs.available_memory
                                                          : std::numeric_limits<std::size_t>::max();
  if (static_cast<std::size_t>(config.kv_blocks) > limit / inputs.bytes_per_block) {
    return Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
                 "kv_blocks is " + std::to_string(config.kv_blocks) + " blocks of " +
                     std::to_string(inputs.bytes_per_block) +
                     " bytes; allowed: " + std::to_string(limit) + " bytes in all"};
  }
  return config.kv_blocks;
}

// Keeping book of a block takes some 70 bytes that no budget counts: little beside its keys and
// values, but for files of tiny models that claim a huge context.
constexpr std::size_t kMostFittingBlocks = std::size_t{1} << 22;

Result<std::int64_t> FittingBlocks(const EngineConfig& config, const SizeInputs& inputs,
                                   std::int64_t context) {
  const std::int64_t each = (context - 1) / config.block_size + 1;
  const auto most = static_cast<std::int64_t>(
      std::min({Budget(config, inputs) / inputs.bytes_per_block, kMostFittingBlocks,
                static_cast<std::size_t>(kMaxInt32 / config.block_size)}));
  if (most < 1) {
    return Error{ErrorCode::kResourceExhausted, "KV_TOO_SMALL",
                 "a block of the KV cache takes " + std::to_string(inputs.bytes_per_block) +
                     " bytes; the cache may take " + std::to_string(Budget(config, inputs))};
  }
  return std::min(most, each * config.max_sequences);
}

// Logits of 64 MiB, but a row for each of the sequences that decode.
std::int32_t MaxOutputs(const EngineConfig& config, const SizeInputs& inputs) {
  constexpr std::int64_t kFloats = (std::int64_t{64} << 20) / 4;
  const std::int64_t rows =
      std::max<std::int64_t>(kFloats / inputs.vocabulary, config.max_sequences);
  return static_cast<std::int32_t>(std::min<std::int64_t>(rows, config.batch_tokens));
}

}  // namespace

Status Validate(const EngineConfig& config) {
  LLMR_RETURN_IF_ERROR(CheckRange("context_length", config.context_length, 0, 1 << 24));
  LLMR_RETURN_IF_ERROR(CheckRange("max_sequences", config.max_sequences, 1, 4096));
  LLMR_RETURN_IF_ERROR(CheckRange("threads", config.threads, 0, 512));
  LLMR_RETURN_IF_ERROR(CheckRange("batch_tokens", config.batch_tokens, 1, 1 << 16));
  LLMR_RETURN_IF_ERROR(CheckRange("block_size", config.block_size, 1, 1024));
  LLMR_RETURN_IF_ERROR(CheckRange("kv_blocks", config.kv_blocks, 0, kMaxInt32 / config.block_size));
  LLMR_RETURN_IF_ERROR(CheckRange("kv_bytes", config.kv_bytes, 0, std::int64_t{1} << 48));
  LLMR_RETURN_IF_ERROR(CheckRange("gpu_layers", config.gpu_layers, -1, kMaxInt32));
  LLMR_RETURN_IF_ERROR(CheckRange("max_undelivered", config.max_undelivered, 1, 1 << 20));
  LLMR_RETURN_IF_ERROR(CheckAdapters(config));
  const auto kv_type = ParseKvType(config.kv_type);
  LLMR_RETURN_IF_ERROR(kv_type);
  const auto attention = ParseAttentionKind(config.attention);
  LLMR_RETURN_IF_ERROR(attention);
  return Ok();
}

Result<EngineSizes> ComputeSizes(const EngineConfig& config, const SizeInputs& inputs) {
  if (config.context_length > inputs.model_context) {
    return Invalid("context_length", config.context_length,
                   "0 (the model's own) to " + std::to_string(inputs.model_context));
  }
  const std::int32_t wanted =
      config.context_length > 0 ? config.context_length : inputs.model_context;
  LLMR_ASSIGN_OR_RETURN(const std::int64_t blocks, config.kv_blocks > 0
                                                       ? ExplicitBlocks(config, inputs)
                                                       : FittingBlocks(config, inputs, wanted));
  const std::int64_t slots = blocks * config.block_size;
  EngineSizes sizes;
  sizes.kv_blocks = static_cast<std::int32_t>(blocks);
  sizes.context_length = config.context_length > 0
                             ? wanted
                             : static_cast<std::int32_t>(std::min<std::int64_t>(wanted, slots));
  sizes.max_outputs = MaxOutputs(config, inputs);
  return sizes;
}

}  // namespace llmr
