#include "model/graph.h"

namespace llmr {

ggml_tensor* RmsNorm(const GraphContext& graph, ggml_tensor* x, ggml_tensor* weight,
                     float epsilon) {
  return ggml_mul(graph.context, ggml_rms_norm(graph.context, x, epsilon), weight);
}

ggml_tensor* LayerNorm(const GraphContext& graph, ggml_tensor* x, const Norm& norm, float epsilon) {
  ggml_tensor* scaled = ggml_mul(graph.context, ggml_norm(graph.context, x, epsilon), norm.weight);
  return ggml_add(graph.context, scaled, norm.bias);
}

ggml_tensor* Apply(const GraphContext& graph, const Linear& linear, ggml_tensor* x) {
  ggml_tensor* y = ggml_mul_mat(graph.context, linear.weight, x);
  return linear.bias == nullptr ? y : ggml_add(graph.context, y, linear.bias);
}

ggml_tensor* RotaryEmbedding(const GraphContext& graph, const RopeHparams& rope, ggml_tensor* x,
                             ggml_tensor* positions, ggml_tensor* factors) {
  const float extrapolation = rope.scaling == RopeScaling::kYarn ? 1.0F : 0.0F;
  return ggml_rope_ext(graph.context, x, positions, factors, rope.dimensions, GGML_ROPE_TYPE_NORMAL,
                       rope.original_context, rope.base, 1.0F / rope.factor, extrapolation,
                       rope.attention_factor, rope.beta_fast, rope.beta_slow);
}

ggml_tensor* Gelu(const GraphContext& graph, ggml_tensor* x) { return ggml_gelu(graph.context, x); }

ggml_tensor* GatedFeedForward(const GraphContext& graph, const LayerWeights& layer,
                              ggml_tensor* x) {
  ggml_tensor* gate = Apply(graph, layer.gate, x);
  ggml_tensor* up = Apply(graph, layer.up, x);
  return Apply(graph, layer.down, ggml_swiglu_split(graph.context, gate, up));
}

ggml_tensor* GeluFeedForward(const GraphContext& graph, const LayerWeights& layer, ggml_tensor* x) {
  return Apply(graph, layer.down, Gelu(graph, Apply(graph, layer.up, x)));
}

}  // namespace llmr
