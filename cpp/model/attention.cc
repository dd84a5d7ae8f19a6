#include "model/attention.h"

#include <cstddef>

#include "base/quote.h"

namespace llmr {
namespace {

ggml_tensor* StoreRows(const GraphContext& graph, ggml_tensor* pool, ggml_tensor* rows,
                       ggml_tensor* slots) {
  ggml_tensor* flat =
      ggml_view_2d(graph.context, rows, rows->ne[0] * rows->ne[1], rows->ne[2], rows->nb[2], 0);
  ggml_tensor* stored = ggml_set_rows(graph.context, pool, flat, slots);
  ggml_build_forward_expand(graph.graph, stored);
  return stored;
}

}  // namespace

Result<AttentionKind> ParseAttentionKind(std::string_view name) {
  if (name == "paged") {
    return AttentionKind::kPaged;
  }
  if (name == "ggml") {
    return AttentionKind::kGgml;
  }
  return Error{ErrorCode::kInvalidArgument, "ATTENTION_UNKNOWN",
               "attention is " + Quote(name) + "; allowed: paged, ggml"};
}

CacheAttention::CacheAttention(const CacheAttentionConfig& config, const Hparams& hparams,
                               ggml_tensor* slots, const std::vector<AttentionGroup>& groups,
                               std::vector<PagedAttentionParams>& params)
    : config_(config), hparams_(hparams), slots_(slots), groups_(groups), params_(params) {}

StoredLayer CacheAttention::Store(const GraphContext& graph, std::int32_t layer, ggml_tensor* keys,
                                  ggml_tensor* values) const {
  const StoredLayer& cache = config_.cache[static_cast<std::size_t>(layer)];
  return {StoreRows(graph, cache.keys, keys, slots_),
          StoreRows(graph, cache.values, values, slots_)};
}

ggml_tensor* CacheAttention::Attend(const GraphContext& graph, std::int32_t layer,
                                    ggml_tensor* queries, const StoredLayer& stored,
                                    float scale) const {
  const auto index = static_cast<std::size_t>(layer);
  if (config_.kinds[index] == AttentionKind::kPaged) {
    PagedAttentionParams& params = params_[index];
    params = {config_.batch, scale, hparams_.heads, hparams_.kv_heads, hparams_.head_dim};
    return PagedAttention(graph.context, queries, stored.keys, stored.values, &params);
  }
  ggml_tensor* attended = nullptr;
  for (const AttentionGroup& group : groups_) {
    ggml_tensor* part = AttendGroup(graph.context, group, queries, stored, scale);
    attended = attended == nullptr ? part : ggml_concat(graph.context, attended, part, 1);
  }
  return attended;
}

// Keys or values of a group: [head_dim, kv_heads, positions, sequences].
ggml_tensor* CacheAttention::Gather(ggml_context* context, const AttentionGroup& group,
                                    ggml_tensor* pool) const {
  return ggml_reshape_4d(context, ggml_get_rows(context, pool, group.slots), hparams_.head_dim,
                         hparams_.kv_heads, group.positions, group.sequences);
}

ggml_tensor* CacheAttention::AttendGroup(ggml_context* context, const AttentionGroup& group,
                                         ggml_tensor* queries, const StoredLayer& stored,
                                         float scale) const {
  const std::size_t token_bytes = queries->nb[2];
  ggml_tensor* q = ggml_view_4d(context, queries, hparams_.head_dim, hparams_.heads, group.tokens,
                                group.sequences, queries->nb[1], token_bytes,
                                token_bytes * static_cast<std::size_t>(group.tokens),
                                token_bytes * static_cast<std::size_t>(group.first_token));
  q = ggml_permute(context, q, 0, 2, 1, 3);  // [head_dim, tokens, heads, sequences]
  ggml_tensor* k = ggml_permute(context, Gather(context, group, stored.keys), 0, 2, 1, 3);
  ggml_tensor* weights = ggml_mul_mat(context, k, q);  // [positions, tokens, heads, sequences]
  ggml_mul_mat_set_prec(weights, GGML_PREC_F32);
  weights = ggml_soft_max_ext(context, weights, group.mask, scale, 0.0F);
  ggml_tensor* v =
      ggml_cont(context, ggml_permute(context, Gather(context, group, stored.values), 1, 2, 0, 3));
  ggml_tensor* attended = ggml_mul_mat(context, v, weights);  // [head_dim, tokens, heads, …]
  attended = ggml_cont(context, ggml_permute(context, attended, 0, 2, 1, 3));
  return ggml_reshape_2d(context, attended, hparams_.query_width(),
                         std::int64_t{group.tokens} * group.sequences);
}

}  // namespace llmr
