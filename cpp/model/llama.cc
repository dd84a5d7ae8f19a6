// Llama 1 to 3.x, Mistral and whatever else goes by general.architecture = "llama".
#include <cstdint>
#include <string>

#include "model/architecture.h"
#include "model/decoder.h"

namespace llmr {
namespace {

Result<Hparams> ReadHparams(const GgufShards& shards, const std::string& architecture) {
  const HparamsReader reader(shards.first(), architecture);
  LLMR_ASSIGN_OR_RETURN(Hparams hparams, ReadDecoderHparams(shards, reader, architecture));
  LLMR_ASSIGN_OR_RETURN(hparams.norm_epsilon,
                        reader.Number("attention.layer_norm_rms_epsilon", 0.0F, 1.0F));
  LLMR_ASSIGN_OR_RETURN(hparams.rope, ReadRope(reader, hparams.head_dim, hparams.context_length));
  return hparams;
}

Status FindAttention(WeightStore& store, const Hparams& hparams, const std::string& prefix,
                     ggml_backend_dev_t device, LayerWeights& layer) {
  LLMR_ASSIGN_OR_RETURN(layer.attention_norm.weight,
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
  LLMR_ASSIGN_OR_RETURN(layer.feed_forward_norm.weight,
                        store.Vector(prefix + "ffn_norm.weight", hparams.embedding, device));
  LLMR_ASSIGN_OR_RETURN(layer.gate, store.LinearMap(prefix + "ffn_gate", hparams.embedding,
                                                    hparams.feed_forward, device));
  LLMR_ASSIGN_OR_RETURN(layer.up, store.LinearMap(prefix + "ffn_up", hparams.embedding,
                                                  hparams.feed_forward, device));
  LLMR_ASSIGN_OR_RETURN(layer.down, store.LinearMap(prefix + "ffn_down", hparams.feed_forward,
                                                    hparams.embedding, device));
  return Ok();
}

Status FindOutput(WeightStore& store, const Hparams& hparams, ggml_backend_dev_t device,
                  Weights& weights) {
  LLMR_ASSIGN_OR_RETURN(weights.output_norm.weight,
                        store.Vector("output_norm.weight", hparams.embedding, device));
  LLMR_ASSIGN_OR_RETURN(weights.output,
                        store.OutputMap(hparams.embedding, hparams.vocabulary, device));
  return Ok();
}

Result<Weights> FindWeights(WeightStore& store, const Hparams& hparams,
                            const Placement& placement) {
  Weights weights;
  LLMR_ASSIGN_OR_RETURN(weights.token_embedding, store.Matrix(kTokenEmbedding, hparams.embedding,
                                                              hparams.vocabulary, placement.cpu()));
  for (std::int32_t i = 0; i < hparams.layers; ++i) {
    const std::string prefix = "blk." + std::to_string(i) + ".";
    LayerWeights layer;
    LLMR_RETURN_IF_ERROR(FindAttention(store, hparams, prefix, placement.Layer(i), layer));
    LLMR_RETURN_IF_ERROR(FindFeedForward(store, hparams, prefix, placement.Layer(i), layer));
    weights.layers.push_back(layer);
  }
  LLMR_RETURN_IF_ERROR(FindOutput(store, hparams, placement.Layer(hparams.layers), weights));
  return weights;
}

class LlamaDecoder : public Decoder {
 public:
  using Decoder::Decoder;

 private:
  ggml_tensor* Embed() const override {
    return ggml_get_rows(graph().context, weights().token_embedding, inputs().tokens);
  }

  ggml_tensor* Normalize(const Norm& norm, ggml_tensor* x) const override {
    return RmsNorm(graph(), x, norm.weight, hparams().norm_epsilon);
  }

  Projections Project(const LayerWeights& layer, ggml_tensor* x) const override {
    return {.queries = Rotate(layer, Heads(Apply(graph(), layer.query, x), hparams().heads)),
            .keys = Rotate(layer, Heads(Apply(graph(), layer.key, x), hparams().kv_heads)),
            .values = Heads(Apply(graph(), layer.value, x), hparams().kv_heads)};
  }

  ggml_tensor* FeedForward(const LayerWeights& layer, ggml_tensor* x) const override {
    return GatedFeedForward(graph(), layer, x);
  }

  ggml_tensor* Heads(ggml_tensor* x, std::int32_t heads) const {
    return ggml_reshape_3d(graph().context, x, hparams().head_dim, heads, x->ne[1]);
  }

  ggml_tensor* Rotate(const LayerWeights& layer, ggml_tensor* x) const {
    return RotaryEmbedding(graph(), hparams().rope, x, inputs().positions, layer.rope_factors);
  }
};

ggml_tensor* Build(const GraphContext& graph, const Hparams& hparams, const Weights& weights,
                   const GraphInputs& inputs, const AttentionBuilder& attention) {
  return LlamaDecoder(graph, hparams, weights, inputs, attention).Build();
}

}  // namespace

constexpr Architecture kLlama = {"llama", ReadHparams, FindWeights, Build};

}  // namespace llmr
