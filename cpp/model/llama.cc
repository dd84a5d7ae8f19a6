// Llama 1 to 3.x, Mistral and whatever else goes by general.architecture = "llama".
#include <cmath>
#include <string>

#include "model/architecture.h"

namespace llmr {
namespace {

Status FindAttention(WeightStore& store, const Hparams& hparams, const std::string& prefix,
                     ggml_backend_dev_t device, LayerWeights& layer) {
  LLMR_ASSIGN_OR_RETURN(layer.attention_norm,
                        store.Vector(prefix + "attn_norm.weight", hparams.embedding, device));
  LLMR_ASSIGN_OR_RETURN(layer.query, store.LinearMap(prefix + "attn_q", hparams.embedding,
                                                     hparams.query_width(), device));
  LLMR_ASSIGN_OR_RETURN(
      layer.key, store.LinearMap(prefix + "attn_k", hparams.embedding, hparams.kv_width(), device));
  LLMR_ASSIGN_OR_RETURN(layer.value, store.LinearMap(prefix + "attn_v", hparams.embedding,
                                                     hparams.kv_width(), device));
  LLMR_ASSIGN_OR_RETURN(
      layer.attention_output,
      store.LinearMap(prefix + "attn_output", hparams.query_width(), hparams.embedding, device));
  // Llama 3.1's scaling: one divisor a frequency, for all layers or for one.
  const std::string own = prefix + "rope_freqs.weight";
  LLMR_ASSIGN_OR_RETURN(layer.rope_factors,
                        store.OptionalVector(store.Has(own) ? own : "rope_freqs.weight",
                                             hparams.rope.dimensions / 2, device));
  return Ok();
}

Status FindFeedForward(WeightStore& store, const Hparams& hparams, const std::string& prefix,
                       ggml_backend_dev_t device, LayerWeights& layer) {
  LLMR_ASSIGN_OR_RETURN(layer.feed_forward_norm,
                        store.Vector(prefix + "ffn_norm.weight", hparams.embedding, device));
  LLMR_ASSIGN_OR_RETURN(layer.gate, store.LinearMap(prefix + "ffn_gate", hparams.embedding,
                                                    hparams.feed_forward, device));
  LLMR_ASSIGN_OR_RETURN(layer.up, store.LinearMap(prefix + "ffn_up", hparams.embedding,
                                                  hparams.feed_forward, device));
  LLMR_ASSIGN_OR_RETURN(layer.down, store.LinearMap(prefix + "ffn_down", hparams.feed_forward,
                                                    hparams.embedding, device));
  return Ok();
}

Result<Weights> FindWeights(WeightStore& store, const Hparams& hparams,
                            const Placement& placement) {
  Weights weights;
  const std::string embedding = "token_embd.weight";
  LLMR_ASSIGN_OR_RETURN(weights.token_embedding, store.Matrix(embedding, hparams.embedding,
                                                              hparams.vocabulary, placement.cpu()));
  for (std::int32_t i = 0; i < hparams.layers; ++i) {
    const std::string prefix = "blk." + std::to_string(i) + ".";
    LayerWeights layer;
    LLMR_RETURN_IF_ERROR(FindAttention(store, hparams, prefix, placement.Layer(i), layer));
    LLMR_RETURN_IF_ERROR(FindFeedForward(store, hparams, prefix, placement.Layer(i), layer));
    weights.layers.push_back(layer);
  }
  const ggml_backend_dev_t last = placement.Layer(hparams.layers);
  LLMR_ASSIGN_OR_RETURN(weights.output_norm,
                        store.Vector("output_norm.weight", hparams.embedding, last));
  // Without an output matrix of its own, a model uses the token embedding.
  LLMR_ASSIGN_OR_RETURN(weights.output.weight,
                        store.Matrix(store.Has("output.weight") ? "output.weight" : embedding,
                                     hparams.embedding, hparams.vocabulary, last));
  LLMR_ASSIGN_OR_RETURN(weights.output.bias,
                        store.OptionalVector("output.bias", hparams.vocabulary, last));
  return weights;
}

// One batch on its way through the layers.
class Pass {
 public:
  Pass(const GraphContext& graph, const Hparams& hparams, const Weights& weights,
       const GraphInputs& inputs, const AttentionBuilder& attention)
      : graph_(graph),
        hparams_(hparams),
        weights_(weights),
        inputs_(inputs),
        attention_(attention),
        hidden_(ggml_get_rows(graph.context, weights.token_embedding, inputs.tokens)) {}

  ggml_tensor* Build() {
    const std::int32_t last = hparams_.layers - 1;
    for (std::int32_t layer = 0; layer < last; ++layer) {
      const StoredLayer stored = StoreKeysAndValues(layer);
      Finish(layer, Attend(layer, stored));
    }
    const StoredLayer stored = StoreKeysAndValues(last);
    if (inputs_.outputs == nullptr) {
      return nullptr;
    }
    // From the last attention on, only the tokens whose logits are wanted.
    ggml_tensor* attended = Attend(last, stored);
    attended = ggml_get_rows(graph_.context, attended, inputs_.outputs);
    hidden_ = ggml_get_rows(graph_.context, hidden_, inputs_.outputs);
    Finish(last, attended);
    ggml_tensor* normed = RmsNorm(graph_, hidden_, weights_.output_norm, hparams_.norm_epsilon);
    ggml_tensor* logits = Apply(graph_, weights_.output, normed);
    ggml_build_forward_expand(graph_.graph, logits);
    return logits;
  }

 private:
  ggml_tensor* Heads(ggml_tensor* x, std::int32_t heads) const {
    return ggml_reshape_3d(graph_.context, x, hparams_.head_dim, heads, x->ne[1]);
  }

  ggml_tensor* Rotate(const LayerWeights& layer, ggml_tensor* x) const {
    return RotaryEmbedding(graph_, hparams_.rope, x, inputs_.positions, layer.rope_factors);
  }

  StoredLayer StoreKeysAndValues(std::int32_t index) {
    const LayerWeights& layer = weights_.layers[static_cast<std::size_t>(index)];
    normed_ = RmsNorm(graph_, hidden_, layer.attention_norm, hparams_.norm_epsilon);
    ggml_tensor* keys = Rotate(layer, Heads(Apply(graph_, layer.key, normed_), hparams_.kv_heads));
    ggml_tensor* values = Heads(Apply(graph_, layer.value, normed_), hparams_.kv_heads);
    return attention_.Store(graph_, index, keys, values);
  }

  ggml_tensor* Attend(std::int32_t index, const StoredLayer& stored) const {
    const LayerWeights& layer = weights_.layers[static_cast<std::size_t>(index)];
    ggml_tensor* queries =
        Rotate(layer, Heads(Apply(graph_, layer.query, normed_), hparams_.heads));
    const float scale = 1.0F / std::sqrt(static_cast<float>(hparams_.head_dim));
    return attention_.Attend(graph_, index, queries, stored, scale);
  }

  void Finish(std::int32_t index, ggml_tensor* attended) {
    const LayerWeights& layer = weights_.layers[static_cast<std::size_t>(index)];
    hidden_ = ggml_add(graph_.context, hidden_, Apply(graph_, layer.attention_output, attended));
    ggml_tensor* normed = RmsNorm(graph_, hidden_, layer.feed_forward_norm, hparams_.norm_epsilon);
    hidden_ = ggml_add(graph_.context, hidden_, GatedFeedForward(graph_, layer, normed));
  }

  const GraphContext& graph_;
  const Hparams& hparams_;
  const Weights& weights_;
  const GraphInputs& inputs_;
  const AttentionBuilder& attention_;
  ggml_tensor* hidden_;            // [embedding, tokens]
  ggml_tensor* normed_ = nullptr;  // the layer's input to attention
};

ggml_tensor* Build(const GraphContext& graph, const Hparams& hparams, const Weights& weights,
                   const GraphInputs& inputs, const AttentionBuilder& attention) {
  return Pass(graph, hparams, weights, inputs, attention).Build();
}

}  // namespace

constexpr Architecture kLlama = {"llama", ReadHparams, FindWeights, Build};

}  // namespace llmr
