// What the engine needs of a model: batches in, logits out.
#pragma once

#include <span>

#include "base/status.h"
#include "sched/batch.h"

namespace llmr {

// Not thread-safe: owned and called by the engine's thread.
class BatchRunner {
 public:
  virtual ~BatchRunner() = default;

  // Stores the batch's keys and values and returns its logits, [output_count × vocabulary], valid
  // until the next call. DATA_LOSS: nothing computed by this runner can be trusted any more; other
  // errors concern this batch only.
  virtual Result<std::span<const float>> Run(const Batch& batch) = 0;
};

}  // namespace llmr
