// GPT-2 and whatever else goes by general.architecture = "gpt2".
#include <cstddef>
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
                        reader.Number("attention.layer_norm_epsilon", 0.0F, 1.0F));
  return hparams;
}

// Every norm and every map of the layers has a bias.
Result<Norm> FindNorm(WeightStore& store, const std::string& name, std::int64_t size,
                      ggml_backend_dev_t device) {
  Norm norm;
  LLMR_ASSIGN_OR_RETURN(norm.weight, store.Vector(name + ".weight", size, device));
  LLMR_ASSIGN_OR_RETURN(norm.bias, store.Vector(name + ".bias", size, device));
  return norm;
}

Result<Linear> FindMap(WeightStore& store, const std::string& name, std::int64_t inputs,
                       std::int64_t outputs, ggml_backend_dev_t device) {
  Linear linear;
  LLMR_ASSIGN_OR_RETURN(linear.weight, store.Matrix(name + ".weight", inputs, outputs, device));
  LLMR_ASSIGN_OR_RETURN(linear.bias, store.Vector(name + ".bias", outputs, device));
  return linear;
}

Result<LayerWeights> FindLayer(WeightStore& store, const Hparams& hparams,
                               const std::string& prefix, ggml_backend_dev_t device) {
  const std::int64_t width = hparams.embedding;
  LayerWeights layer;
  LLMR_ASSIGN_OR_RETURN(layer.attention_norm, FindNorm(store, prefix + "attn_norm", width, device));
  LLMR_ASSIGN_OR_RETURN(
      layer.query_key_value,
      FindMap(store, prefix + "attn_qkv", width,
              hparams.query_width() + std::int64_t{2} * hparams.kv_width(), device));
  LLMR_ASSIGN_OR_RETURN(layer.attention_output, FindMap(store, prefix + "attn_output",
                                                        hparams.query_width(), width, device));
  LLMR_ASSIGN_OR_RETURN(layer.feed_forward_norm,
                        FindNorm(store, prefix + "ffn_norm", width, device));
  LLMR_ASSIGN_OR_RETURN(layer.up,
                        FindMap(store, prefix + "ffn_up", width, hparams.feed_forward, device));
  LLMR_ASSIGN_OR_RETURN(layer.down,
                        FindMap(store, prefix + "ffn_down", hparams.feed_forward, width, device));
  return layer;
}

Result<Weights> FindWeights(WeightStore& store, const Hparams& hparams,
                            const Placement& placement) {
  Weights weights;
  LLMR_ASSIGN_OR_RETURN(weights.token_embedding, store.Matrix(kTokenEmbedding, hparams.embedding,
                                                              hparams.vocabulary, placement.cpu()));
  // As many rows as the context has positions: so none that is computed lies outside.
  LLMR_ASSIGN_OR_RETURN(weights.position_embedding,
                        store.Matrix("position_embd.weight", hparams.embedding,
                                     hparams.context_length, placement.cpu()));
  for (std::int32_t i = 0; i < hparams.layers; ++i) {
    const std::string prefix = "blk." + std::to_string(i) + ".";
    LLMR_ASSIGN_OR_RETURN(LayerWeights layer,
                          FindLayer(store, hparams, prefix, placement.Layer(i)));
    weights.layers.push_back(layer);
  }
  const ggml_backend_dev_t last = placement.Layer(hparams.layers);
  LLMR_ASSIGN_OR_RETURN(weights.output_norm,
                        FindNorm(store, "output_norm", hparams.embedding, last));
  LLMR_ASSIGN_OR_RETURN(weights.output,
                        store.OutputMap(hparams.embedding, hparams.vocabulary, last));
  return weights;
}

class Gpt2Decoder : public Decoder {
 public:
  using Decoder::Decoder;

 private:
  ggml_tensor* Embed() const override {
    ggml_context* context = graph().context;
    return ggml_add(context, ggml_get_rows(context, weights().token_embedding, inputs().tokens),
                    ggml_get_rows(context, weights().position_embedding, inputs().positions));
  }

  ggml_tensor* Normalize(const Norm& norm, ggml_tensor* x) const override {
    return LayerNorm(graph(), x, norm, hparams().norm_epsilon);
  }

  Projections Project(const LayerWeights& layer, ggml_tensor* x) const override {
    ggml_tensor* all = Apply(graph(), layer.query_key_value, x);
    const std::int32_t values = hparams().heads + hparams().kv_heads;
    return {.queries = Heads(all, 0, hparams().heads),
            .keys = Heads(all, hparams().heads, hparams().kv_heads),
            .values = Heads(all, values, hparams().kv_heads)};
  }

  ggml_tensor* FeedForward(const LayerWeights& layer, ggml_tensor* x) const override {
    return GeluFeedForward(graph(), layer, x);
  }

  // Some of the heads that lie behind each other in each token of `all`.
  ggml_tensor* Heads(ggml_tensor* all, std::int32_t first, std::int32_t count) const {
    const std::size_t head_bytes = static_cast<std::size_t>(hparams().head_dim) * all->nb[0];
    return ggml_view_3d(graph().context, all, hparams().head_dim, count, all->ne[1], head_bytes,
                        all->nb[1], head_bytes * static_cast<std::size_t>(first));
  }
};

ggml_tensor* Build(const GraphContext& graph, const Hparams& hparams, const Weights& weights,
                   const GraphInputs& inputs, const AttentionBuilder& attention) {
  return Gpt2Decoder(graph, hparams, weights, inputs, attention).Build();
}

}  // namespace

constexpr Architecture kGpt2 = {"gpt2", ReadHparams, FindWeights, Build};

}  // namespace llmr
