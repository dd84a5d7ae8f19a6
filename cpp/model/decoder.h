// The way of a batch through a decoder's layers, which architectures share.
#pragma once

#include <ggml.h>

#include <cstdint>

#include "model/graph.h"
#include "model/hparams.h"
#include "model/weights.h"

namespace llmr {

// What a layer attends with.
struct Projections {
  ggml_tensor* queries;  // F32 [head_dim, heads, tokens]
  ggml_tensor* keys;     // F32 [head_dim, kv_heads, tokens]
  ggml_tensor* values;   // likewise
};

// One pass: attention and feed-forward network in turn, each normalised before and added to what
// went in. An architecture says what these are. Keeps references to all that it is made of.
class Decoder {
 public:
  Decoder(const GraphContext& graph, const Hparams& hparams, const Weights& weights,
          const GraphInputs& inputs, const AttentionBuilder& attention)
      : graph_(graph),
        hparams_(hparams),
        weights_(weights),
        inputs_(inputs),
        attention_(attention) {}
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Returns the logits or null, as Model::Build() promises. Call once.
  ggml_tensor* Build();

 protected:
  const GraphContext& graph() const { return graph_; }
  const Hparams& hparams() const { return hparams_; }
  const Weights& weights() const { return weights_; }
  const GraphInputs& inputs() const { return inputs_; }

 private:
  // Of all tokens: [embedding, tokens].
  virtual ggml_tensor* Embed() const = 0;
  virtual ggml_tensor* Normalize(const Norm& norm, ggml_tensor* x) const = 0;
  virtual Projections Project(const LayerWeights& layer, ggml_tensor* x) const = 0;
  virtual ggml_tensor* FeedForward(const LayerWeights& layer, ggml_tensor* x) const = 0;

  ggml_tensor* Attend(std::int32_t index, ggml_tensor* queries, const StoredLayer& stored) const;
  ggml_tensor* Finish(const LayerWeights& layer, ggml_tensor* hidden, ggml_tensor* attended) const;

  const GraphContext& graph_;
  const Hparams& hparams_;
  const Weights& weights_;
  const GraphInputs& inputs_;
  const AttentionBuilder& attention_;
};

}  // namespace llmr
