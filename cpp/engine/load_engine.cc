#include "engine/load_engine.h"

#include <utility>

#include "engine/machine.h"
#include "engine/runner.h"
#include "gguf/gguf_file.h"
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

Result<std::shared_ptr<const Model>> LoadModel(const EngineConfig& config,
                                               const LoadProgress& progress) {
  LLMR_RETURN_IF_ERROR(Report(progress, "model", 0));
  LLMR_ASSIGN_OR_RETURN(const auto file, GgufFile::Open(config.model_path));
  ModelOptions options;
  options.gpu_layers = config.gpu_layers;
  if (progress) {
    options.on_progress = [&](double fraction) { return progress("model", fraction); };
  }
  return Model::Load(file, options);
}

Result<EngineSizes> SizesFor(const EngineConfig& config, const Model& model,
                             const KvCacheConfig& cache) {
  const bool on_cpu = model.Accelerator() == nullptr;
  return ComputeSizes(config, {.model_context = model.hparams().context_length,
                               .vocabulary = model.hparams().vocabulary,
                               .bytes_per_block = KvBytesPerBlock(cache),
                               .available_memory = on_cpu ? AvailableMemory() : 0});
}

std::int32_t ThreadsOf(const EngineConfig& config) {
  return config.threads > 0 ? config.threads : UsableCores();
}

// See Engine::kv_identity.
std::string KvIdentity(const EngineConfig& config, const Model& model, const KvCacheConfig& cache) {
  const ggml_backend_dev_t accelerator = model.Accelerator();
  const std::string device =
      accelerator == nullptr ? "none" : ggml_backend_dev_description(accelerator);
  return config.kv_type + " " + std::to_string(cache.block_size) + "x" +
         std::to_string(cache.layers) + "x" + std::to_string(cache.width) +
         " threads=" + std::to_string(ThreadsOf(config)) +
         " isa=" + std::string(PagedAttentionIsas().back().name) +
         " attention=" + config.attention + " gpu_layers=" + std::to_string(config.gpu_layers) +
         " device=" + device;
}

Result<std::unique_ptr<BatchRunner>> CreateRunner(const EngineConfig& config,
                                                  const EngineSizes& sizes,
                                                  const std::shared_ptr<const Model>& model,
                                                  std::shared_ptr<KvCache> cache) {
  LLMR_ASSIGN_OR_RETURN(const AttentionKind attention, ParseAttentionKind(config.attention));
  LLMR_ASSIGN_OR_RETURN(auto runner, Runner::Create(model, std::move(cache),
                                                    {.threads = ThreadsOf(config),
                                                     .batch_tokens = config.batch_tokens,
                                                     .max_outputs = sizes.max_outputs,
                                                     .attention = attention}));
  return std::make_unique<ModelRunner>(std::move(runner));
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
  LLMR_ASSIGN_OR_RETURN(const auto model, LoadModel(config, progress));
  LLMR_ASSIGN_OR_RETURN(const KvType kv_type, ParseKvType(config.kv_type));
  KvCacheConfig cache_config = KvCacheConfigFor(*model, config.block_size, kv_type);
  LLMR_ASSIGN_OR_RETURN(const EngineSizes sizes, SizesFor(config, *model, cache_config));
  cache_config.blocks = sizes.kv_blocks;
  LLMR_ASSIGN_OR_RETURN(
      Vocabulary vocabulary,
      Vocabulary::Create(std::move(tokens.bytes), tokens.end_tokens, model->hparams().vocabulary));
  LLMR_RETURN_IF_ERROR(Report(progress, "cache", 0));
  LLMR_ASSIGN_OR_RETURN(auto cache, KvCache::Create(cache_config));
  LLMR_ASSIGN_OR_RETURN(auto runner, CreateRunner(config, sizes, model, cache));
  LLMR_ASSIGN_OR_RETURN(Scheduler scheduler, CreateScheduler(config, sizes));
  LLMR_RETURN_IF_ERROR(Report(progress, "cache", 1));
  return Engine::Start({.runner = std::move(runner),
                        .scheduler = std::move(scheduler),
                        .vocabulary = std::move(vocabulary),
                        .max_undelivered = config.max_undelivered,
                        .model = {.architecture = model->architecture(),
                                  .parameters = model->parameters(),
                                  .kv_identity = KvIdentity(config, *model, cache_config)},
                        .cache = std::move(cache)});
}

}  // namespace llmr
