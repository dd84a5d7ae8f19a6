// Computes batches: tokens in, logits out. The only part of the engine that drives ggml graphs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"
#include "kv/kv_cache.h"
#include "model/model.h"
#include "sched/batch.h"

namespace llmr {

// Who computes attention in the layers that lie on the CPU. Layers on a GPU always take kGgml.
enum class AttentionKind {
  kPaged,  // our own operation: bit-identical whatever the batch
  kGgml,   // ggml's operations over the same pool
};

// "paged" or "ggml". Errors: INVALID_ARGUMENT / ATTENTION_UNKNOWN.
Result<AttentionKind> ParseAttentionKind(std::string_view name);

struct RunnerConfig {
  std::int32_t threads = 1;
  std::int32_t batch_tokens = 512;  // most tokens in one batch
  std::int32_t max_outputs = 512;   // most rows of logits in one batch
  AttentionKind attention = AttentionKind::kPaged;
};

// The cache that fits a model: layers, width and placement filled in, `blocks` left to the caller.
KvCacheConfig KvCacheConfigFor(const Model& model, std::int32_t block_size, KvType type);

// Not thread-safe: owned and called by the engine's thread.
class Runner {
 public:
  static Result<std::unique_ptr<Runner>> Create(std::shared_ptr<const Model> model,
                                                std::shared_ptr<KvCache> cache,
                                                const RunnerConfig& config);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Writes the batch's keys and values to the cache and returns its logits, row by row in the
  // order of the batch's outputs: [output_count × vocabulary], valid until the next call.
  // REQUIRES: tokens are below the vocabulary size and block tables inside the pool.
  // Errors: kInvalidArgument for a batch over the limits, kDataLoss where the model's file
  // shrank under its mapping, kInternal where the backend failed.
  Result<std::span<const float>> Run(const Batch& batch);

 private:
  class Impl;
  explicit Runner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmr
