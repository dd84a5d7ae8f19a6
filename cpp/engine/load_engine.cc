#include "engine/load_engine.h"

#include <bit>
#include <cstdint>
#include <utility>

#include "base/checksum.h"
#include "engine/engine_plan.h"
#include "engine/memory_estimate.h"
#include "engine/runner.h"
#include "gguf/gguf_shards.h"
#include "kernels/paged_attention.h"
#include "kv/block_pool.h"
#include "kv/kv_cache.h"
#include "model/model.h"

namespace llmr {
namespace {

class ModelRunner : public BatchRunner {
 public:
  explicit ModelRunner(std::unique_ptr<Runner> runner) : runner_(std::move(runner)) {}
  Result<std::span<const float>> Run(const Batch& batch) override { return runner_->Run(batch); }

 private:
  std::unique_ptr<Runner> runner_;
};

Status Report(const LoadProgress& progress, const std::string& phase, double fraction) {
  if (progress && !progress(phase, fraction)) {
    return Error{ErrorCode::kFailedPrecondition, "CANCELLED", "loading was given up"};
  }
  return Ok();
}

Result<std::shared_ptr<const Model>> LoadModel(const EngineConfig& config, ModelOptions options,
                                               const LoadProgress& progress) {
  LLMR_RETURN_IF_ERROR(Report(progress, "model", 0));
  LLMR_ASSIGN_OR_RETURN(auto shards, GgufShards::Open(config.model_path));
  if (progress) {
    options.on_progress = [&](double fraction) { return progress("model", fraction); };
  }
  return Model::Load(std::move(shards), options);
}

// Contents and scales of all adapters.
std::string AdapterIdentity(const std::vector<AdapterSource>& adapters) {
  std::string identity;
  for (const AdapterSource& adapter : adapters) {
    std::uint64_t sum = 0;
    for (const auto& file : adapter.shards->files()) {
      sum = Checksum(sum, file->bytes());
    }
    identity += " adapter=" + std::to_string(sum) + "*" +
                std::to_string(std::bit_cast<std::uint32_t>(adapter.scale));
  }
  return identity;
}

// See Engine::kv_identity.
std::string KvIdentity(const EngineConfig& config, const std::vector<AdapterSource>& adapters,
                       const Model& model, const EnginePlan& plan) {
  const ggml_backend_dev_t accelerator = model.Accelerator();
  const std::string device =
      accelerator == nullptr ? "none" : ggml_backend_dev_description(accelerator);
  return config.kv_type + " " + std::to_string(plan.cache.block_size) + "x" +
         std::to_string(plan.cache.layers) + "x" + std::to_string(plan.cache.width) +
         " threads=" + std::to_string(plan.runner.threads) +
         " isa=" + std::string(PagedAttentionIsas().back().name) +
         " attention=" + config.attention + " gpu_layers=" + std::to_string(config.gpu_layers) +
         " device=" + device + AdapterIdentity(adapters);
}

// What EstimateMemory() promised.
MemoryEstimate MemoryOf(const Model& model, const KvCache& cache, const Runner& runner,
                        const EngineSizes& sizes) {
  return {.weights = static_cast<std::int64_t>(model.weight_bytes()),
          .kv = static_cast<std::int64_t>(cache.bytes()),
          .compute = static_cast<std::int64_t>(runner.bytes()),
          .context_length = sizes.context_length,
          .kv_blocks = sizes.kv_blocks};
}

Result<Scheduler> CreateScheduler(const EngineConfig& config, const EngineSizes& sizes) {
  LLMR_ASSIGN_OR_RETURN(BlockPool pool, BlockPool::Create({.blocks = sizes.kv_blocks,
                                                           .block_size = config.block_size}));
  SchedulerConfig scheduler;
  scheduler.context_length = sizes.context_length;
  scheduler.max_sequences = config.max_sequences;
  scheduler.batch_tokens = config.batch_tokens;
  scheduler.max_outputs = sizes.max_outputs;
  scheduler.prefix_cache = config.prefix_cache;
  return Scheduler::Create(scheduler, std::move(pool));
}

}  // namespace

Result<std::unique_ptr<Engine>> LoadEngine(const EngineConfig& config, TokenTable tokens,
                                           const LoadProgress& progress) {
  LLMR_RETURN_IF_ERROR(Validate(config));
  LLMR_ASSIGN_OR_RETURN(const ModelOptions options, ModelOptionsFor(config));
  LLMR_ASSIGN_OR_RETURN(const auto model, LoadModel(config, options, progress));
  LLMR_ASSIGN_OR_RETURN(const EnginePlan plan, PlanEngine(config, *model));
  LLMR_ASSIGN_OR_RETURN(
      Vocabulary vocabulary,
      Vocabulary::Create(std::move(tokens.bytes), tokens.end_tokens, model->hparams().vocabulary));
  LLMR_RETURN_IF_ERROR(Report(progress, "cache", 0));
  LLMR_ASSIGN_OR_RETURN(auto cache, KvCache::Create(plan.cache));
  LLMR_ASSIGN_OR_RETURN(auto runner, Runner::Create(model, cache, plan.runner));
  LLMR_ASSIGN_OR_RETURN(Scheduler scheduler, CreateScheduler(config, plan.sizes));
  LLMR_RETURN_IF_ERROR(Report(progress, "cache", 1));
  const MemoryEstimate memory = MemoryOf(*model, *cache, *runner, plan.sizes);
  return Engine::Start(
      {.runner = std::make_unique<ModelRunner>(std::move(runner)),
       .scheduler = std::move(scheduler),
       .vocabulary = std::move(vocabulary),
       .max_undelivered = config.max_undelivered,
       .model = {.architecture = model->architecture(),
                 .parameters = model->parameters(),
                 .kv_identity = KvIdentity(config, options.adapters, *model, plan)},
       .cache = std::move(cache),
       .memory = memory});
}

}  // namespace llmr
