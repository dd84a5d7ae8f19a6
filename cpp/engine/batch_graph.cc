#include "engine/batch_graph.h"

#include <ggml-backend.h>

#include <algorithm>
#include <utility>

namespace llmr {
namespace {

// Groups of sequences in one graph, for ggml's attention: bounds the graph. A batch with more is
// computed in several parts.
constexpr std::size_t kMaxGroups = 8;

// Nodes and weights of a layer beside its attention, and those around the layers; generous.
constexpr std::size_t kTensorsALayer = 64;
constexpr std::size_t kTensorsAround = 64;

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

BatchGraph::BatchGraph(std::shared_ptr<const Model> model, std::shared_ptr<KvCache> cache,
                       AttentionKind on_cpu)
    : model_(std::move(model)), cache_(std::move(cache)) {
  ChooseAttention(on_cpu);
  const auto layers = static_cast<std::size_t>(model_->hparams().layers);
  const std::size_t groups = uses_ggml_attention_ ? kMaxGroups : 0;
  most_tensors_ = layers * (kTensorsALayer + CacheAttention::NodesALayer(groups)) + kTensorsAround +
                  model_->adapted_maps() * kTensorsAnAdapter;
  paged_params_.resize(layers);
}

void BatchGraph::ChooseAttention(AttentionKind on_cpu) {
  for (std::int32_t layer = 0; layer < model_->hparams().layers; ++layer) {
    attention_.cache.push_back({cache_->keys(layer), cache_->values(layer)});
    const bool lies_on_cpu =
        model_->Accelerator() == nullptr || model_->LayerDevice(layer) != model_->Accelerator();
    const AttentionKind kind = lies_on_cpu ? on_cpu : AttentionKind::kGgml;
    attention_.kinds.push_back(kind);
    uses_ggml_attention_ = uses_ggml_attention_ || kind == AttentionKind::kGgml;
  }
  attention_.batch = &spans_;
}

std::size_t BatchGraph::bytes() const {
  return ggml_tensor_overhead() * most_tensors_ + ggml_graph_overhead_custom(most_tensors_, false);
}

std::vector<BatchItems> BatchGraph::Parts(const Batch& batch) const {
  const BatchItems all(batch.items);
  if (!uses_ggml_attention_) {
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

void BatchGraph::Build(const GraphShape& shape, BatchItems items) {
  if (memory_ == nullptr) {
    memory_ = std::make_unique_for_overwrite<std::byte[]>(bytes());
  }
  context_.reset(ggml_init({.mem_size = bytes(), .mem_buffer = memory_.get(), .no_alloc = true}));
  graph_ = ggml_new_graph_custom(context_.get(), most_tensors_, false);
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

void BatchGraph::AddGroups(BatchItems items) {
  groups_.clear();
  group_items_.clear();
  if (!uses_ggml_attention_) {
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

void BatchGraph::AttendOver(BatchItems items) {
  spans_ = AttentionSpans(items, cache_->config().block_size);
}

void BatchGraph::SetInputs(const Batch& batch, BatchItems items) {
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

}  // namespace llmr
