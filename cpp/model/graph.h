// The blocks that decoder architectures share, as ggml graph nodes.
//
// Shapes are ggml's: the first dimension is contiguous. Every operation here treats each token's
// column by itself, so a token's result does not depend on which others are in the batch.
#pragma once

#include <ggml.h>

#include <cstddef>
#include <cstdint>

#include "model/hparams.h"
#include "model/weights.h"

namespace llmr {

struct GraphContext {
  ggml_context* context;  // holds the nodes, without data
  ggml_cgraph* graph;
};

struct GraphInputs {
  ggml_tensor* tokens;     // I32 [tokens]
  ggml_tensor* positions;  // I32 [tokens]
  ggml_tensor* outputs;    // I32 [outputs]: indices of the tokens whose logits are wanted;
                           // nullptr: none
};

// The cache of one layer as it is after this batch's keys and values were stored in it.
struct StoredLayer {
  ggml_tensor* keys;    // [kv_width, slots]
  ggml_tensor* values;  // [kv_width, slots]
};

// How layers attend. The runner's part: it knows where keys and values lie.
class AttentionBuilder {
 public:
  virtual ~AttentionBuilder() = default;

  // Stores this batch's keys and values, both F32 [head_dim, kv_heads, tokens], in the cache of
  // `layer`. Tokens may lie apart, as in a view of a wider tensor; likewise those of Attend().
  virtual StoredLayer Store(const GraphContext& graph, std::int32_t layer, ggml_tensor* keys,
                            ggml_tensor* values) const = 0;

  // Attends with `queries`, F32 [head_dim, heads, tokens], over `stored`: each token over its own
  // sequence up to itself. Returns F32 [head_dim × heads, tokens].
  virtual ggml_tensor* Attend(const GraphContext& graph, std::int32_t layer, ggml_tensor* queries,
                              const StoredLayer& stored, float scale) const = 0;
};

// Each scaled to a root mean square of 1, times `weight`: [n, tokens].
ggml_tensor* RmsNorm(const GraphContext& graph, ggml_tensor* x, ggml_tensor* weight, float epsilon);

// Each less its mean and scaled to a variance of 1, times the weight, plus the bias: [n, tokens].
ggml_tensor* LayerNorm(const GraphContext& graph, ggml_tensor* x, const Norm& norm, float epsilon);

// [inputs, tokens] → [outputs, tokens], with what adapters add.
ggml_tensor* Apply(const GraphContext& graph, const Linear& linear, ggml_tensor* x);

// Nodes and weights that each adapter of a map adds to a graph.
inline constexpr std::size_t kTensorsAnAdapter = 6;

// Turns pairs of neighbouring elements of each head, [head_dim, heads, tokens], by their positions.
ggml_tensor* RotaryEmbedding(const GraphContext& graph, const RopeHparams& rope, ggml_tensor* x,
                             ggml_tensor* positions, ggml_tensor* factors);

// x / 2 × (1 + tanh(√(2/π) × (x + 0.044715 x³))), element by element.
ggml_tensor* Gelu(const GraphContext& graph, ggml_tensor* x);

// down(silu(gate(x)) × up(x)): [embedding, tokens].
ggml_tensor* GatedFeedForward(const GraphContext& graph, const LayerWeights& layer, ggml_tensor* x);

// down(gelu(up(x))): [embedding, tokens].
ggml_tensor* GeluFeedForward(const GraphContext& graph, const LayerWeights& layer, ggml_tensor* x);

}  // namespace llmr
