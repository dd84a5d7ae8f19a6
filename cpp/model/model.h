// A loaded model: hyper-parameters, weights, and the graph that computes it.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "gguf/gguf_shards.h"
#include "model/adapter.h"
#include "model/graph.h"
#include "model/hparams.h"

namespace llmr {

struct ModelOptions {
  std::int32_t gpu_layers = 0;  // layers on the GPU where one is built in, the last ones; -1: all
  // Told how much is loaded, 0 to 1, in the loading thread; false gives up. May be empty.
  std::function<bool(double)> on_progress;
  std::vector<AdapterSource> adapters;  // all of them at once
};

// Immutable once loaded; shared and used from any thread. Keeps the files mapped: weights on the
// CPU are read from them in place.
class Model {
 public:
  // Checks everything before ggml sees it. Errors: FAILED_PRECONDITION / GGUF_INVALID for a file
  // that lies or lacks something; UNIMPLEMENTED / MODEL_UNSUPPORTED for another architecture or
  // tensor type; those of AttachAdapter(); RESOURCE_EXHAUSTED / OUT_OF_MEMORY; FAILED_PRECONDITION
  // / CANCELLED where on_progress said so; DATA_LOSS / MODEL_FILE_TRUNCATED.
  static Result<std::shared_ptr<const Model>> Load(std::shared_ptr<const GgufShards> shards,
                                                   const ModelOptions& options);

  // Likewise, but reads no weights and takes no memory for them: graphs of it can be measured, not
  // computed. Never tells of progress. Errors: as Load(), but for CANCELLED.
  static Result<std::shared_ptr<const Model>> Plan(std::shared_ptr<const GgufShards> shards,
                                                   const ModelOptions& options);

  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Hparams& hparams() const;
  const std::string& architecture() const { return hparams().architecture; }
  std::int64_t parameters() const;  // elements of all weights, without adapters

  // Bytes that the weights take, or would; those of adapters and in mapped files included.
  std::size_t weight_bytes() const;

  // Maps that adapters change, counted for each adapter.
  std::size_t adapted_maps() const;

  // True once a file shrank under its mapping: what was computed since may be wrong.
  bool damaged() const;

  // The device a layer lies on; layers() of hparams is the output layer.
  ggml_backend_dev_t LayerDevice(std::int32_t layer) const;
  // Where the KV cache of each layer belongs: KvCacheConfig::placement.
  std::vector<ggml_backend_buffer_type_t> LayerBufferTypes() const;
  // The GPU that holds layers; null where all are on the CPU.
  ggml_backend_dev_t Accelerator() const;

  // Adds the forward pass to `graph.graph`. Returns the logits, [vocabulary, outputs], or nullptr
  // where the inputs ask for no output: then only keys and values are computed.
  ggml_tensor* Build(const GraphContext& graph, const GraphInputs& inputs,
                     const AttentionBuilder& attention) const;

 private:
  struct Impl;
  static Result<std::unique_ptr<Impl>> Find(std::shared_ptr<const GgufShards> shards,
                                            const ModelOptions& options);
  static Result<std::shared_ptr<const Model>> Finish(std::unique_ptr<Impl> impl);
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmr
