#include "model/decoder.h"

#include <cmath>
#include <cstddef>

namespace llmr {

ggml_tensor* Decoder::Build() {
  ggml_tensor* hidden = Embed();
  for (std::int32_t index = 0; index < hparams_.layers; ++index) {
    const LayerWeights& layer = weights_.layers[static_cast<std::size_t>(index)];
    const Projections found = Project(layer, Normalize(layer.attention_norm, hidden));
    const StoredLayer stored = attention_.Store(graph_, index, found.keys, found.values);
    const bool last = index == hparams_.layers - 1;
    if (last && inputs_.outputs == nullptr) {
      return nullptr;
    }
    ggml_tensor* attended = Attend(index, found.queries, stored);
    if (last) {  // from here on, only the tokens whose logits are wanted
      attended = ggml_get_rows(graph_.context, attended, inputs_.outputs);
      hidden = ggml_get_rows(graph_.context, hidden, inputs_.outputs);
    }
    hidden = Finish(layer, hidden, attended);
  }
  ggml_tensor* logits = Apply(graph_, weights_.output, Normalize(weights_.output_norm, hidden));
  ggml_build_forward_expand(graph_.graph, logits);
  return logits;
}

ggml_tensor* Decoder::Attend(std::int32_t index, ggml_tensor* queries,
                             const StoredLayer& stored) const {
  const float scale = 1.0F / std::sqrt(static_cast<float>(hparams_.head_dim));
  return attention_.Attend(graph_, index, queries, stored, scale);
}

ggml_tensor* Decoder::Finish(const LayerWeights& layer, ggml_tensor* hidden,
                             ggml_tensor* attended) const {
  hidden = ggml_add(graph_.context, hidden, Apply(graph_, layer.attention_output, attended));
  ggml_tensor* normed = Normalize(layer.feed_forward_norm, hidden);
  return ggml_add(graph_.context, hidden, FeedForward(layer, normed));
}

}  // namespace llmr
