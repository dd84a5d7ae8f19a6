#include "model/model.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "model/architecture.h"
#include "model/ggml_log.h"
#include "model/placement.h"
#include "model/weights.h"

namespace llmr {
namespace {

// Each takes ggml's scheduler some 120 KiB of address space, and it aborts where it gets none. No
// model has as many maps that 16 adapters of all of them come to more.
constexpr std::size_t kMostAdaptedMaps = 1 << 14;

Result<std::vector<WeightStore>> AttachAdapters(const std::vector<AdapterSource>& sources,
                                                const Hparams& hparams, const Placement& placement,
                                                Weights& weights) {
  std::vector<WeightStore> adapters;
  std::size_t maps = 0;
  for (const AdapterSource& source : sources) {
    LLMR_ASSIGN_OR_RETURN(WeightStore adapter, AttachAdapter(source, hparams, placement, weights));
    maps += adapter.tensors() / 2;
    adapters.push_back(std::move(adapter));
  }
  if (maps > kMostAdaptedMaps) {
    return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED",
                 "the adapters change " + std::to_string(maps) + " maps; supported: " +
                     std::to_string(kMostAdaptedMaps) + " by all of them together"};
  }
  return adapters;
}

}  // namespace

struct Model::Impl {
  std::shared_ptr<const GgufShards> shards;
  const Architecture* architecture;
  Hparams hparams;
  Placement placement;
  WeightStore store;
  Weights weights;
  std::vector<WeightStore> adapters = {};
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;

// Everything but the weights' data.
Result<std::unique_ptr<Model::Impl>> Model::Find(std::shared_ptr<const GgufShards> shards,
                                                 const ModelOptions& options) {
  QuietGgmlLog();
  LLMR_ASSIGN_OR_RETURN(const std::string name,
                        shards->first().Get<std::string>("general.architecture"));
  LLMR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(name));
  LLMR_ASSIGN_OR_RETURN(Hparams hparams, architecture->read_hparams(*shards, name));
  const Placement placement = Placement::Choose(hparams.layers, options.gpu_layers);
  WeightStore store(shards, placement.cpu());
  LLMR_ASSIGN_OR_RETURN(Weights weights, architecture->find_weights(store, hparams, placement));
  LLMR_ASSIGN_OR_RETURN(std::vector<WeightStore> adapters,
                        AttachAdapters(options.adapters, hparams, placement, weights));
  return std::make_unique<Impl>(std::move(shards), architecture, std::move(hparams), placement,
                                std::move(store), std::move(weights), std::move(adapters));
}

Result<std::shared_ptr<const Model>> Model::Finish(std::unique_ptr<Impl> impl) {
  std::shared_ptr<const Model> model(new Model(std::move(impl)));
  if (model->damaged()) {
    return Error{ErrorCode::kDataLoss, "MODEL_FILE_TRUNCATED",
                 "a file of the model or its adapters became shorter while it was loaded"};
  }
  return model;
}

Result<std::shared_ptr<const Model>> Model::Load(std::shared_ptr<const GgufShards> shards,
                                                 const ModelOptions& options) {
  LLMR_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Find(std::move(shards), options));
  for (WeightStore& adapter : impl->adapters) {  // small beside the model: no progress of their own
    LLMR_RETURN_IF_ERROR(adapter.Load({}));
  }
  LLMR_RETURN_IF_ERROR(impl->store.Load(options.on_progress));
  return Finish(std::move(impl));
}

Result<std::shared_ptr<const Model>> Model::Plan(std::shared_ptr<const GgufShards> shards,
                                                 const ModelOptions& options) {
  LLMR_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Find(std::move(shards), options));
  for (WeightStore& adapter : impl->adapters) {
    LLMR_RETURN_IF_ERROR(adapter.Plan());
  }
  LLMR_RETURN_IF_ERROR(impl->store.Plan());
  return Finish(std::move(impl));
}

const Hparams& Model::hparams() const { return impl_->hparams; }

std::int64_t Model::parameters() const { return impl_->store.parameters(); }

std::size_t Model::weight_bytes() const {
  std::size_t total = impl_->store.bytes();
  for (const WeightStore& adapter : impl_->adapters) {
    total += adapter.bytes();
  }
  return total;
}

std::size_t Model::adapted_maps() const {
  std::size_t total = 0;
  for (const WeightStore& adapter : impl_->adapters) {
    total += adapter.tensors() / 2;
  }
  return total;
}

bool Model::damaged() const {
  return impl_->store.damaged() ||
         std::ranges::any_of(impl_->adapters,
                             [](const WeightStore& adapter) { return adapter.damaged(); });
}

ggml_backend_dev_t Model::LayerDevice(std::int32_t layer) const {
  return impl_->placement.Layer(layer);
}

ggml_backend_dev_t Model::Accelerator() const { return impl_->placement.accelerator(); }

std::vector<ggml_backend_buffer_type_t> Model::LayerBufferTypes() const {
  std::vector<ggml_backend_buffer_type_t> types;
  for (std::int32_t layer = 0; layer < impl_->hparams.layers; ++layer) {
    types.push_back(ggml_backend_dev_buffer_type(LayerDevice(layer)));
  }
  return types;
}

ggml_tensor* Model::Build(const GraphContext& graph, const GraphInputs& inputs,
                          const AttentionBuilder& attention) const {
  return impl_->architecture->build(graph, impl_->hparams, impl_->weights, inputs, attention);
}

}  // namespace llmr
