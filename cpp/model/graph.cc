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
  for (const LowRank& added : linear.adapters) {
    ggml_tensor* inner = ggml_mul_mat(graph.context, added.inner, x);
    inner = ggml_scale(graph.context, inner, added.scale);
    y = ggml_add(graph.context, y, ggml_mul_mat(graph.context, added.outer, inner));
  }
  return linear.bias == nullptr ? y : ggml_add(graph.context, y, linear.bias);
}

ggml_tensor* RotaryEmbedding(const GraphContext& graph, const RopeHparams& rope, ggml_tensor* x,
                             ggml_tensor* positions, ggml_tensor* factors) {
  const float extrapolation = rope.scaling == RopeScaling::kYarn ? 1.0F : 0.0F;
  return ggml_rope_ext(graph.context, x, positions, factors, rope.dimensions, GGML_ROPE_TYPE_NORMAL,
                       rope.original_context, rope.base, 1.0F / rope.factor, extrapolation,
                       rope.attention_factor, rope.beta_fast, rope.beta_slow);
}

// ggml_gelu() looks results up in a table of F16 on the CPU: logprobs are off by 0.01 with it. This
// is the same function by operations in full precision: (1 + tanh(y)) / 2 is the logistic function
// of 2 y, so gelu(x) = silu(p x) / p with p = 2 √(2/π) (1 + 0.044715 x²), which is never near zero.
ggml_tensor* Gelu(const GraphContext& graph, ggml_tensor* x) {
  constexpr float kSlope = 1.5957691216F;  // 2 √(2/π)
  constexpr float kMostSquare = 1e4F;      // silu has long been linear, or zero; keeps p x finite
  ggml_context* context = graph.context;
  ggml_tensor* square = ggml_clamp(context, ggml_sqr(context, x), 0.0F, kMostSquare);
  ggml_tensor* p = ggml_scale_bias(context, square, kSlope * 0.044715F, kSlope);
  return ggml_div(context, ggml_silu(context, ggml_mul(context, p, x)), p);
}

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
