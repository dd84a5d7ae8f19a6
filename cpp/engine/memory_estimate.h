// How much memory an engine takes.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "engine/engine_config.h"

namespace llmr {

// Of host and devices together. Weights that are read from a mapped file in place count too,
// though the system may drop their pages and read them again.
struct MemoryEstimate {
  std::int64_t weights = 0;  // bytes
  std::int64_t kv = 0;       // bytes of the KV cache
  std::int64_t compute = 0;  // bytes of intermediate results, logits included
  std::int32_t context_length = 0;
  std::int32_t kv_blocks = 0;  // as EngineConfig::kv_blocks it gives the same sizes again
};

// What LoadEngine would take, from metadata and tensor tables alone: reads no weights, allocates
// nothing of what it counts and starts no threads. Exact where all layers lie on the CPU and attend
// by "paged"; else `compute` is an estimate (Runner::Measure). Errors: those of LoadEngine that do
// not come from its tokens, its progress, or memory that is not there.
Result<MemoryEstimate> EstimateMemory(const EngineConfig& config);

}  // namespace llmr
