#include "engine/runner.h"

#include <ggml-backend.h>
#include <ggml-cpp.h>
#include <ggml-cpu.h>
#include <ggml.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "engine/batch_inputs.h"

namespace llmr {
namespace {

// Groups of sequences in one graph, for ggml's attention: bounds the graph. A batch with more is
// computed in several parts.
constexpr std::size_t kMaxGroups = 8;

// Nodes of a layer beside its attention, and those around the layers; generous.
constexpr std::size_t kNodesALayer = 40;
constexpr std::size_t kNodesAround = 64;

struct ThreadpoolDeleter {
  void operator()(ggml_threadpool* pool) const { ggml_threadpool_free(pool); }
};

Error BadConfig(const std::string& message) {
  return Error{ErrorCode::kInvalidArgument, "RUNNER_CONFIG", "runner: " + message};
}

Error OutOfMemory() {
  return Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
               "no memory for the intermediate results of a batch"};
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
  if (cache.config().layers != model.hparams().layers ||
      cache.config().width != model.hparams().kv_width()) {
    return BadConfig("the KV cache has " + std::to_string(cache.config().layers) +
                     " layers of width " + std::to_string(cache.config().width) +
                     "; the model needs " + std::to_string(model.hparams().layers) + " of " +
                     std::to_string(model.hparams().kv_width()));
  }
  return Ok();
}

template <class T>
void Set(ggml_tensor* tensor, const std::vector<T>& values) {
  ggml_backend_tensor_set(tensor, values.data(), 0, values.size() * sizeof(T));
}

ggml_tensor* NewInput(ggml_context* context, ggml_type type, std::int64_t size) {
  ggml_tensor* tensor = ggml_new_tensor_1d(context, type, size);
  ggml_set_input(tensor);
  return tensor;
}

}  // namespace

class Runner::Impl {
 public:
  Impl(std::shared_ptr<const Model> model, std::shared_ptr<KvCache> cache,
       const RunnerConfig& config)
      : model_(std::move(model)), cache_(std::move(cache)), config_(config) {}

  Status Initialise();
  Result<std::span<const float>> Run(const Batch& batch);

 private:
  // The sizes that a graph was built for. One with the same sizes computes another batch too,
  // unless ggml's attention is in it: then it depends on the sequences' lengths.
  struct Shape {
    std::int32_t tokens = 0;
    std::int32_t outputs = 0;
    bool operator==(const Shape&) const = default;
  };

  Status CreateBackends();
  void ChooseAttention();
  bool UsesGgmlAttention() const;
  std::vector<BatchItems> Parts(const Batch& batch) const;

  Status Reserve();
  Status Prepare(BatchItems items);
  void BuildGraph(const Shape& shape, BatchItems items);
  void AddGroups(BatchItems items);
  void SetInputs(const Batch& batch, BatchItems items);
  Status Compute();

  std::shared_ptr<const Model> model_;
  std::shared_ptr<KvCache> cache_;
  const RunnerConfig config_;

  std::unique_ptr<ggml_threadpool, ThreadpoolDeleter> threadpool_;
  std::vector<ggml_backend_ptr> backends_;  // the CPU last
  ggml_backend_sched_ptr scheduler_;
  std::size_t graph_size_ = 0;

  CacheAttentionConfig attention_;
  AttentionBatch spans_;  // of the part that is computed; the graph's nodes point here
  std::vector<PagedAttentionParams> paged_params_;  // one a layer; likewise

  // The graph and its tensors.
  ggml_context_ptr context_;
  ggml_cgraph* graph_ = nullptr;
  Shape shape_;
  GraphInputs inputs_{};
  ggml_tensor* slots_ = nullptr;
  std::vector<AttentionGroup> groups_;
  std::vector<BatchItems> group_items_;
  ggml_tensor* logits_ = nullptr;  // null where no output is wanted

  std::vector<float> gathered_;  // logits that do not lie in host memory in one piece
};

Status Runner::Impl::Initialise() {
  ChooseAttention();
  const auto layers = static_cast<std::size_t>(model_->hparams().layers);
  const std::size_t groups = UsesGgmlAttention() ? kMaxGroups : 0;
  graph_size_ = layers * (kNodesALayer + CacheAttention::NodesALayer(groups)) + kNodesAround;
  paged_params_.resize(layers);
  LLMR_RETURN_IF_ERROR(CreateBackends());
  return UsesGgmlAttention() ? Ok() : Reserve();
}

Status Runner::Impl::CreateBackends() {
  ggml_threadpool_params params = ggml_threadpool_params_default(config_.threads);
  threadpool_.reset(ggml_threadpool_new(&params));
  if (model_->Accelerator() != nullptr) {
    backends_.emplace_back(ggml_backend_dev_init(model_->Accelerator(), nullptr));
  }
  backends_.emplace_back(ggml_backend_cpu_init());
  std::vector<ggml_backend_t> backends;
  for (const ggml_backend_ptr& backend : backends_) {
    if (backend == nullptr) {
      return Error{ErrorCode::kInternal, "BACKEND_FAILED", "a backend of ggml did not start"};
    }
    backends.push_back(backend.get());
  }
  ggml_backend_cpu_set_n_threads(backends.back(), config_.threads);
  ggml_backend_cpu_set_threadpool(backends.back(), threadpool_.get());
  scheduler_.reset(ggml_backend_sched_new(backends.data(), nullptr,
                                          static_cast<int>(backends.size()), graph_size_,
                                          /*parallel=*/false, /*op_offload=*/true));
  return Ok();
}

void Runner::Impl::ChooseAttention() {
  for (std::int32_t layer = 0; layer < model_->hparams().layers; ++layer) {
    attention_.cache.push_back({cache_->keys(layer), cache_->values(layer)});
    const bool on_cpu =
        model_->Accelerator() == nullptr || model_->LayerDevice(layer) != model_->Accelerator();
    attention_.kinds.push_back(on_cpu ? config_.attention : AttentionKind::kGgml);
  }
  attention_.batch = &spans_;
}

bool Runner::Impl::UsesGgmlAttention() const {
  return std::find(attention_.kinds.begin(), attention_.kinds.end(), AttentionKind::kGgml) !=
         attention_.kinds.end();
}

// Takes the memory of the largest batch now, so that none is missing later.
Status Runner::Impl::Reserve() {
  BuildGraph({config_.batch_tokens, std::min(config_.batch_tokens, config_.max_outputs)}, {});
  const bool reserved = ggml_backend_sched_reserve(scheduler_.get(), graph_);
  shape_ = {};
  return reserved ? Ok() : OutOfMemory();
}

// The batch in pieces whose graphs stay inside graph_size_.
std::vector<BatchItems> Runner::Impl::Parts(const Batch& batch) const {
  const BatchItems all(batch.items);
  if (!UsesGgmlAttention()) {
    return {all};
  }
  std::vector<BatchItems> parts;
  const std::vector<BatchItems> runs = EqualRuns(all);
  for (std::size_t i = 0; i < runs.size(); i += kMaxGroups) {
    const BatchItems last = runs[std::min(i + kMaxGroups, runs.size()) - 1];
    parts.emplace_back(runs[i].data(), last.data() + last.size());
  }
  return parts;
}

Result<std::span<const float>> Runner::Impl::Run(const Batch& batch) {
  const KvCacheConfig& cache = cache_->config();
  LLMR_RETURN_IF_ERROR(CheckBatch(batch, {.tokens = config_.batch_tokens,
                                          .outputs = config_.max_outputs,
                                          .vocabulary = model_->hparams().vocabulary,
                                          .blocks = cache.blocks,
                                          .block_size = cache.block_size}));
  const std::vector<BatchItems> parts = Parts(batch);
  gathered_.clear();
  for (const BatchItems& items : parts) {
    LLMR_RETURN_IF_ERROR(Prepare(items));
    SetInputs(batch, items);
    LLMR_RETURN_IF_ERROR(Compute());
    if (logits_ == nullptr) {
      continue;
    }
    const auto size = static_cast<std::size_t>(ggml_nelements(logits_));
    if (parts.size() == 1 && ggml_backend_buffer_is_host(logits_->buffer)) {
      return std::span<const float>(static_cast<const float*>(logits_->data), size);
    }
    gathered_.resize(gathered_.size() + size);
    ggml_backend_tensor_get(logits_, gathered_.data() + (gathered_.size() - size), 0,
                            size * sizeof(float));
  }
  return std::span<const float>(gathered_);
}

// Builds and allocates the graph, unless the last one will do.
Status Runner::Impl::Prepare(BatchItems items) {
  spans_ = AttentionSpans(items, cache_->config().block_size);
  const Shape shape = {TokenCount(items), OutputCount(items)};
  if (shape == shape_ && !UsesGgmlAttention()) {
    return Ok();
  }
  shape_ = {};
  ggml_backend_sched_reset(scheduler_.get());
  BuildGraph(shape, items);
  if (!ggml_backend_sched_alloc_graph(scheduler_.get(), graph_)) {
    return OutOfMemory();
  }
  shape_ = shape;
  return Ok();
}

void Runner::Impl::BuildGraph(const Shape& shape, BatchItems items) {
  const std::size_t bytes =
      ggml_tensor_overhead() * graph_size_ + ggml_graph_overhead_custom(graph_size_, false);
  context_.reset(ggml_init({.mem_size = bytes, .mem_buffer = nullptr, .no_alloc = true}));
  graph_ = ggml_new_graph_custom(context_.get(), graph_size_, false);
  inputs_ = {.tokens = NewInput(context_.get(), GGML_TYPE_I32, shape.tokens),
             .positions = NewInput(context_.get(), GGML_TYPE_I32, shape.tokens),
             .outputs = nullptr};
  slots_ = NewInput(context_.get(), GGML_TYPE_I64, shape.tokens);
  if (shape.outputs > 0) {
    inputs_.outputs = NewInput(context_.get(), GGML_TYPE_I32, shape.outputs);
  }
  AddGroups(items);
  const GraphContext graph = {context_.get(), graph_};
  const CacheAttention attention(attention_, model_->hparams(), slots_, groups_, paged_params_);
  logits_ = model_->Build(graph, inputs_, attention);
  if (logits_ != nullptr) {
    ggml_set_output(logits_);
  }
}

void Runner::Impl::AddGroups(BatchItems items) {
  groups_.clear();
  group_items_.clear();
  if (!UsesGgmlAttention()) {
    return;
  }
  group_items_ = EqualRuns(items);
  for (const BatchItems& run : group_items_) {
    AttentionGroup group;
    group.first_token = run.front().first_token - items.front().first_token;
    group.tokens = run.front().token_count;
    group.sequences = static_cast<std::int32_t>(run.size());
    group.positions = LongestSequence(run);
    group.slots =
        NewInput(context_.get(), GGML_TYPE_I32, std::int64_t{group.positions} * group.sequences);
    group.mask = ggml_new_tensor_4d(context_.get(), GGML_TYPE_F32, group.positions, group.tokens, 1,
                                    group.sequences);
    ggml_set_input(group.mask);
    groups_.push_back(group);
  }
}

void Runner::Impl::SetInputs(const Batch& batch, BatchItems items) {
  const auto first = static_cast<std::size_t>(items.front().first_token);
  ggml_backend_tensor_set(inputs_.tokens, batch.tokens.data() + first, 0,
                          ggml_nbytes(inputs_.tokens));
  Set(inputs_.positions, Positions(items));
  Set(slots_, Slots(items, cache_->config().block_size));
  if (inputs_.outputs != nullptr) {
    Set(inputs_.outputs, OutputTokens(items));
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i].slots->buffer != nullptr) {  // a graph without outputs may attend nowhere
      const std::int32_t positions = groups_[i].positions;
      Set(groups_[i].slots, GatherSlots(group_items_[i], positions, cache_->config().block_size));
      Set(groups_[i].mask, CausalMask(group_items_[i], positions));
    }
  }
}

Status Runner::Impl::Compute() {
  ggml_status status = GGML_STATUS_FAILED;
  try {
    status = ggml_backend_sched_graph_compute(scheduler_.get(), graph_);
  } catch (const std::bad_alloc&) {
    status = GGML_STATUS_ALLOC_FAILED;
  }
  if (model_->damaged()) {
    return Error{ErrorCode::kDataLoss, "MODEL_FILE_TRUNCATED",
                 "the model's file became shorter while the model was loaded"};
  }
  if (status == GGML_STATUS_ALLOC_FAILED) {
    return OutOfMemory();
  }
  if (status != GGML_STATUS_SUCCESS) {
    return Error{ErrorCode::kInternal, "BACKEND_FAILED",
                 std::string("ggml: ") + ggml_status_to_string(status)};
  }
  return Ok();
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
  LLMR_RETURN_IF_ERROR(CheckConfig(*model, *cache, config));
  auto impl = std::make_unique<Impl>(std::move(model), std::move(cache), config);
  LLMR_RETURN_IF_ERROR(impl->Initialise());
  return std::unique_ptr<Runner>(new Runner(std::move(impl)));
}

Result<std::span<const float>> Runner::Run(const Batch& batch) { return impl_->Run(batch); }

}  // namespace llmr
