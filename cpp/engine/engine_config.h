// How an engine is set up: what a caller gives, and the sizes that follow from it and the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "kv/kv_cache.h"
#include "model/attention.h"

namespace llmr {

struct EngineConfig {
  std::string model_path;
  // Paths of LoRA adapters, and how much of each counts.
  std::vector<std::pair<std::string, float>> adapters = {};
  std::int32_t context_length = 0;  // tokens; 0: the model's, as far as the KV cache goes
  std::int32_t max_sequences = 10;  // that make progress at once
  std::int32_t threads = 0;         // 0: physical cores that the process may use
  std::int32_t batch_tokens = 512;  // most tokens in a step
  std::int32_t block_size = 16;     // tokens a KV block
  // 0: max_sequences whole contexts, as far as memory goes and at most 2^22.
  std::int64_t kv_blocks = 0;
  std::int64_t kv_bytes = 0;    // most bytes of the KV cache; 0: a quarter of what is free
  std::string kv_type = "f16";  // or "f32"
  std::int32_t gpu_layers = 0;  // layers on the GPU; -1: all
  bool prefix_cache = true;
  std::int32_t max_undelivered = 16;  // events not acknowledged, at which a request pauses
  std::string attention = "paged";    // or "ggml"
};

// Ranges only. Errors: INVALID_ARGUMENT / ENGINE_CONFIG naming field, value and what is allowed;
// KV_TYPE_UNKNOWN, ATTENTION_UNKNOWN.
Status Validate(const EngineConfig& config);

struct EngineSizes {
  std::int32_t context_length = 0;
  std::int32_t kv_blocks = 0;
  std::int32_t max_outputs = 0;  // most rows of logits in a step
};

// What the sizes depend on beside the config.
struct SizeInputs {
  std::int32_t model_context = 0;
  std::int32_t vocabulary = 0;
  std::size_t bytes_per_block = 0;
  std::size_t available_memory = 0;  // bytes; 0: unknown
};

// Errors: INVALID_ARGUMENT / ENGINE_CONFIG for a context beyond the model's; RESOURCE_EXHAUSTED /
// KV_TOO_SMALL where not even one block fits, OUT_OF_MEMORY where the blocks asked for do not.
Result<EngineSizes> ComputeSizes(const EngineConfig& config, const SizeInputs& inputs);

}  // namespace llmr
