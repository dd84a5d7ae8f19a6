#include "engine/runner.h"

#include <ggml-backend.h>
#include <ggml.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch_graph.h"
#include "engine/batch_inputs.h"
#include "engine/graph_backends.h"

namespace llmr {
namespace {

Error BadConfig(const std::string& message) {
  return Error{ErrorCode::kInvalidArgument, "RUNNER_CONFIG", "runner: " + message};
}

Status CheckRange(const char* name, std::int32_t value, std::int32_t most) {
  if (value < 1 || value > most) {
    return BadConfig(std::string(name) + " is " + std::to_string(value) + "; allowed: 1 to " +
                     std::to_string(most));
  }
  return Ok();
}

Status CheckConfig(const Model& model, const KvCache& cache, const RunnerConfig& config) {
  constexpr std::int32_t kMaxTokens = 1 << 20;
  LLMR_RETURN_IF_ERROR(CheckRange("threads", config.threads, GGML_MAX_N_THREADS));
  LLMR_RETURN_IF_ERROR(CheckRange("batch_tokens", config.batch_tokens, kMaxTokens));
  LLMR_RETURN_IF_ERROR(CheckRange("max_outputs", config.max_outputs, kMaxTokens));
  LLMR_RETURN_IF_ERROR(CheckRange("context_length", config.context_length, 1 << 30));
  LLMR_RETURN_IF_ERROR(CheckRange("max_sequences", config.max_sequences, kMaxTokens));
  if (cache.config().layers != model.hparams().layers ||
      cache.config().width != model.hparams().kv_width()) {
    return BadConfig("the KV cache has " + std::to_string(cache.config().layers) +
                     " layers of width " + std::to_string(cache.config().width) +
                     "; the model needs " + std::to_string(model.hparams().layers) + " of " +
                     std::to_string(model.hparams().kv_width()));
  }
  return Ok();
}

GraphShape LargestShape(const RunnerConfig& config) {
  return {config.batch_tokens, std::min(config.batch_tokens, config.max_outputs)};
}

// The last chunk of the longest prompt.
std::vector<BatchItem> LargestPrompt(const RunnerConfig& config, std::int32_t slots) {
  const std::int32_t longest = std::min(config.context_length, slots);
  const std::int32_t tokens = std::min(config.batch_tokens, longest);
  BatchItem item;
  item.token_count = tokens;
  item.start_position = longest - tokens;
  item.output_count = std::min(tokens, config.max_outputs);
  return {item};
}

// ggml multiplies sizes unchecked: no batch may need more attention weights than any machine holds.
Status CheckMeasurable(const RunnerConfig& config, std::int32_t slots, std::int32_t heads) {
  constexpr double kMost = 0x1p46;  // elements
  const double weights = 1.0 * std::min(config.context_length, slots) * config.batch_tokens * heads;
  return weights <= kMost ? Ok()
                          : Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
                                  "no memory for the attention of a batch of " +
                                      std::to_string(config.batch_tokens) + " tokens by ggml"};
}

// All sequences with one token each, as long as an equal share of the cache allows.
std::vector<BatchItem> LargestDecode(const RunnerConfig& config, std::int32_t slots) {
  const std::int32_t sequences = std::min({config.max_sequences, config.batch_tokens, slots});
  std::vector<BatchItem> items(static_cast<std::size_t>(sequences));
  for (std::int32_t i = 0; i < sequences; ++i) {
    BatchItem& item = items[static_cast<std::size_t>(i)];
    item.first_token = i;
    item.token_count = 1;
    item.start_position = std::min(config.context_length, slots / sequences) - 1;
    item.first_output = i;
    item.output_count = 1;
  }
  return items;
}

}  // namespace

class Runner::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Create(std::shared_ptr<const Model> model,
                                              std::shared_ptr<KvCache> cache,
                                              const RunnerConfig& config);
  Status Start();
  Result<std::size_t> Measure();
  std::size_t bytes() const;
  Result<std::span<const float>> Run(const Batch& batch);

 private:
  Impl(std::shared_ptr<const Model> model, std::shared_ptr<KvCache> cache,
       const RunnerConfig& config)
      : model_(std::move(model)),
        cache_(std::move(cache)),
        config_(config),
        graph_(model_, cache_, config.attention) {}

  std::size_t MeasureShape(const GraphShape& shape, BatchItems items);
  Status Prepare(BatchItems items);
  Status Compute();

  std::shared_ptr<const Model> model_;
  std::shared_ptr<KvCache> cache_;
  const RunnerConfig config_;
  BatchGraph graph_;
  std::optional<GraphBackends> backends_;  // from Create() on
  GraphShape shape_;                       // that graph_ is allocated for
  std::size_t work_bytes_ = 0;
  std::vector<float> gathered_;  // logits that do not lie in host memory in one piece
};

Result<std::unique_ptr<Runner::Impl>> Runner::Impl::Create(std::shared_ptr<const Model> model,
                                                           std::shared_ptr<KvCache> cache,
                                                           const RunnerConfig& config) {
  LLMR_RETURN_IF_ERROR(CheckConfig(*model, *cache, config));
  std::unique_ptr<Impl> impl(new Impl(std::move(model), std::move(cache), config));
  LLMR_ASSIGN_OR_RETURN(impl->backends_, GraphBackends::Create(*impl->model_, config.threads,
                                                               impl->graph_.most_tensors()));
  return impl;
}

// Takes the memory of the largest batch now, so that none is missing later. With ggml's attention
// that depends on how long sequences get.
Status Runner::Impl::Start() {
  backends_->StartThreads();
  if (graph_.uses_ggml_attention()) {
    return Ok();
  }
  graph_.Build(LargestShape(config_), {});
  work_bytes_ = backends_->WorkBytes(graph_.graph());
  return backends_->Reserve(graph_.graph());
}

std::size_t Runner::Impl::bytes() const {
  return graph_.bytes() + work_bytes_ + backends_->bytes() + gathered_.capacity() * sizeof(float);
}

std::size_t Runner::Impl::MeasureShape(const GraphShape& shape, BatchItems items) {
  graph_.Build(shape, items);
  const std::size_t work = backends_->WorkBytes(graph_.graph());
  return graph_.bytes() + work + backends_->Measure(graph_.graph());
}

Result<std::size_t> Runner::Impl::Measure() {
  if (!graph_.uses_ggml_attention()) {
    return MeasureShape(LargestShape(config_), {});
  }
  LLMR_RETURN_IF_ERROR(CheckMeasurable(config_, cache_->slots(), model_->hparams().heads));
  std::size_t most = 0;
  for (const auto& items :
       {LargestPrompt(config_, cache_->slots()), LargestDecode(config_, cache_->slots())}) {
    const GraphShape shape = {TokenCount(items), OutputCount(items)};
    const auto logits = static_cast<std::size_t>(model_->hparams().vocabulary) *
                        static_cast<std::size_t>(shape.outputs) * sizeof(float);
    most = std::max(most, MeasureShape(shape, items) + logits);
  }
  return most;
}

Result<std::span<const float>> Runner::Impl::Run(const Batch& batch) {
  const KvCacheConfig& cache = cache_->config();
  LLMR_RETURN_IF_ERROR(CheckBatch(batch, {.tokens = config_.batch_tokens,
                                          .outputs = config_.max_outputs,
                                          .vocabulary = model_->hparams().vocabulary,
                                          .positions = model_->hparams().context_length,
                                          .blocks = cache.blocks,
                                          .block_size = cache.block_size}));
  const std::vector<BatchItems> parts = graph_.Parts(batch);
  gathered_.clear();
  for (const BatchItems& items : parts) {
    LLMR_RETURN_IF_ERROR(Prepare(items));
    graph_.SetInputs(batch, items);
    LLMR_RETURN_IF_ERROR(Compute());
    ggml_tensor* const logits = graph_.logits();
    if (logits == nullptr) {
      continue;
    }
    const auto size = static_cast<std::size_t>(ggml_nelements(logits));
    if (parts.size() == 1 && ggml_backend_buffer_is_host(logits->buffer)) {
      return std::span<const float>(static_cast<const float*>(logits->data), size);
    }
    gathered_.resize(gathered_.size() + size);
    ggml_backend_tensor_get(logits, gathered_.data() + (gathered_.size() - size), 0,
                            size * sizeof(float));
  }
  return std::span<const float>(gathered_);
}

// Builds and allocates the graph, unless the last one will do.
Status Runner::Impl::Prepare(BatchItems items) {
  graph_.AttendOver(items);
  const GraphShape shape = {TokenCount(items), OutputCount(items)};
  if (shape == shape_ && !graph_.uses_ggml_attention()) {
    return Ok();
  }
  shape_ = {};
  backends_->Reset();
  graph_.Build(shape, items);
  LLMR_RETURN_IF_ERROR(backends_->Allocate(graph_.graph()));
  shape_ = shape;
  return Ok();
}

Status Runner::Impl::Compute() {
  Status computed = backends_->Compute(graph_.graph());
  if (model_->damaged()) {
    return Error{ErrorCode::kDataLoss, "MODEL_FILE_TRUNCATED",
                 "a file of the model or its adapters became shorter while it was in use"};
  }
  return computed;
}

KvCacheConfig KvCacheConfigFor(const Model& model, std::int32_t block_size, KvType type) {
  return {.layers = model.hparams().layers,
          .width = model.hparams().kv_width(),
          .blocks = 0,
          .block_size = block_size,
          .type = type,
          .placement = model.LayerBufferTypes()};
}

Runner::Runner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runner::~Runner() = default;

Result<std::unique_ptr<Runner>> Runner::Create(std::shared_ptr<const Model> model,
                                               std::shared_ptr<KvCache> cache,
                                               const RunnerConfig& config) {
  LLMR_ASSIGN_OR_RETURN(auto impl, Impl::Create(std::move(model), std::move(cache), config));
  LLMR_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Runner>(new Runner(std::move(impl)));
}

Result<std::size_t> Runner::Measure(std::shared_ptr<const Model> model,
                                    std::shared_ptr<KvCache> cache, const RunnerConfig& config) {
  LLMR_ASSIGN_OR_RETURN(auto impl, Impl::Create(std::move(model), std::move(cache), config));
  return impl->Measure();
}

std::size_t Runner::bytes() const { return impl_->bytes(); }

Result<std::span<const float>> Runner::Run(const Batch& batch) { return impl_->Run(batch); }

}  // namespace llmr
