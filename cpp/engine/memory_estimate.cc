#include "engine/memory_estimate.h"

#include <cstddef>
#include <utility>

#include "engine/engine_plan.h"
#include "engine/runner.h"
#include "gguf/gguf_shards.h"
#include "kv/kv_cache.h"
#include "model/model.h"

namespace llmr {

Result<MemoryEstimate> EstimateMemory(const EngineConfig& config) {
  LLMR_RETURN_IF_ERROR(Validate(config));
  LLMR_ASSIGN_OR_RETURN(const ModelOptions options, ModelOptionsFor(config));
  LLMR_ASSIGN_OR_RETURN(auto shards, GgufShards::Open(config.model_path));
  LLMR_ASSIGN_OR_RETURN(const auto model, Model::Plan(std::move(shards), options));
  LLMR_ASSIGN_OR_RETURN(const EnginePlan plan, PlanEngine(config, *model));
  LLMR_ASSIGN_OR_RETURN(const auto cache, KvCache::Plan(plan.cache));
  LLMR_ASSIGN_OR_RETURN(const std::size_t compute, Runner::Measure(model, cache, plan.runner));
  return MemoryEstimate{.weights = static_cast<std::int64_t>(model->weight_bytes()),
                        .kv = static_cast<std::int64_t>(cache->bytes()),
                        .compute = static_cast<std::int64_t>(compute),
                        .context_length = plan.sizes.context_length,
                        .kv_blocks = plan.sizes.kv_blocks};
}

}  // namespace llmr
