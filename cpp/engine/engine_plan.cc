#include "engine/engine_plan.h"

#include <utility>

#include "base/machine.h"

namespace llmr {
namespace {

Result<EngineSizes> SizesFor(const EngineConfig& config, const Model& model,
                             const KvCacheConfig& cache) {
  const bool on_cpu = model.Accelerator() == nullptr;
  return ComputeSizes(config, {.model_context = model.hparams().context_length,
                               .vocabulary = model.hparams().vocabulary,
                               .bytes_per_block = KvBytesPerBlock(cache),
                               .available_memory = on_cpu ? AvailableMemory() : 0});
}

}  // namespace

Result<ModelOptions> ModelOptionsFor(const EngineConfig& config) {
  ModelOptions options;
  options.gpu_layers = config.gpu_layers;
  for (const auto& [path, scale] : config.adapters) {
    LLMR_ASSIGN_OR_RETURN(auto shards, GgufShards::Open(path));
    options.adapters.push_back({std::move(shards), scale});
  }
  return options;
}

Result<EnginePlan> PlanEngine(const EngineConfig& config, const Model& model) {
  LLMR_ASSIGN_OR_RETURN(const KvType kv_type, ParseKvType(config.kv_type));
  LLMR_ASSIGN_OR_RETURN(const AttentionKind attention, ParseAttentionKind(config.attention));
  EnginePlan plan;
  plan.cache = KvCacheConfigFor(model, config.block_size, kv_type);
  LLMR_ASSIGN_OR_RETURN(plan.sizes, SizesFor(config, model, plan.cache));
  plan.cache.blocks = plan.sizes.kv_blocks;
  plan.runner = {.threads = config.threads > 0 ? config.threads : UsableCores(),
                 .batch_tokens = config.batch_tokens,
                 .max_outputs = plan.sizes.max_outputs,
                 .context_length = plan.sizes.context_length,
                 .max_sequences = config.max_sequences,
                 .attention = attention};
  return plan;
}

}  // namespace llmr
