// Computes batches: tokens in, logits out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/status.h"
#include "kv/kv_cache.h"
#include "model/attention.h"
#include "model/model.h"
#include "sched/batch.h"

namespace llmr {

struct RunnerConfig {
  std::int32_t threads = 1;
  std::int32_t batch_tokens = 512;  // most tokens in one batch
  std::int32_t max_outputs = 512;   // most rows of logits in one batch
  std::int32_t context_length = 1;  // tokens of the longest sequence; only Measure() asks
  std::int32_t max_sequences = 1;   // most in one batch; only Measure() asks
  AttentionKind attention = AttentionKind::kPaged;  // of the layers that lie on the CPU
};

// The cache that fits a model: layers, width and placement filled in, `blocks` left to the caller.
KvCacheConfig KvCacheConfigFor(const Model& model, std::int32_t block_size, KvType type);

// Not thread-safe: owned and called by the engine's thread.
class Runner {
 public:
  // Reserves the memory of the largest batch. Errors: INVALID_ARGUMENT / RUNNER_CONFIG for limits
  // below 1, too many threads, or a cache that does not fit the model; RESOURCE_EXHAUSTED /
  // OUT_OF_MEMORY.
  static Result<std::unique_ptr<Runner>> Create(std::shared_ptr<const Model> model,
                                                std::shared_ptr<KvCache> cache,
                                                const RunnerConfig& config);

  // Bytes that the runner would take, without taking them or the threads: a planned model and cache
  // will do. What Create() reserves, exactly, where all layers attend by kPaged. With ggml's
  // attention, on a GPU always, it is an estimate: nothing is reserved, and what is taken grows
  // with the sequences up to about this. Errors: as Create(); OUT_OF_MEMORY only for what no
  // machine holds, and where there is no room to lay the graphs in.
  static Result<std::size_t> Measure(std::shared_ptr<const Model> model,
                                     std::shared_ptr<KvCache> cache, const RunnerConfig& config);

  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  // Writes the batch's keys and values to the cache and returns its logits, row by row in the
  // order of the batch's outputs: [output_count × vocabulary], valid until the next call.
  // Errors: INVALID_ARGUMENT / BATCH_INVALID for a batch over the limits, tokens outside the
  // vocabulary, block tables outside the pool or items that break Batch's invariants; DATA_LOSS /
  // MODEL_FILE_TRUNCATED where the model's file shrank under its mapping; RESOURCE_EXHAUSTED /
  // OUT_OF_MEMORY; INTERNAL / BACKEND_FAILED. Weights that are not numbers are no error: their
  // logits are NaN.
  Result<std::span<const float>> Run(const Batch& batch);

  // Bytes that are taken now for intermediate results, logits included.
  std::size_t bytes() const;

 private:
  class Impl;
  explicit Runner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmr
