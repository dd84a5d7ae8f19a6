// Attention over a cache of slots, as graph nodes: our own operation, or ggml's.
#pragma once

#include <ggml.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "kernels/paged_attention.h"
#include "model/graph.h"
#include "model/hparams.h"

namespace llmr {

// Who computes attention in a layer. One on a GPU always takes kGgml.
enum class AttentionKind {
  kPaged,  // our own operation on the CPU: bit-identical whatever the batch
  kGgml,   // ggml's operations over the same cache
};

// "paged" or "ggml". Errors: INVALID_ARGUMENT / ATTENTION_UNKNOWN.
Result<AttentionKind> ParseAttentionKind(std::string_view name);

// Sequences with equally many tokens in the batch, which ggml's operations take at once. Their
// tokens lie one behind the other.
struct AttentionGroup {
  std::int32_t first_token = 0;
  std::int32_t tokens = 0;  // of each sequence
  std::int32_t sequences = 0;
  std::int32_t positions = 0;    // of the longest sequence; the others' slots are padded
  ggml_tensor* slots = nullptr;  // I32 [positions × sequences]: where keys and values lie
  ggml_tensor* mask = nullptr;   // F32 [positions, tokens, 1, sequences]: 0 where a token may look
                                 // at a position, minus infinity where not
};

struct CacheAttentionConfig {
  std::vector<StoredLayer> cache;    // one a layer
  std::vector<AttentionKind> kinds;  // one a layer
  // For kPaged; outlives the graph's computation, and may change between two of them.
  const AttentionBatch* batch = nullptr;
};

// Immutable. Keeps no reference to the groups' tensors beyond the graph that they belong to.
class CacheAttention : public AttentionBuilder {
 public:
  // `slots`: I64 [tokens], where each token's key and value go. `groups`: all of the batch's
  // tokens; used where a layer is kGgml. `config` and `hparams` outlive this object; `params`, one
  // a layer and filled in here, the graph.
  CacheAttention(const CacheAttentionConfig& config, const Hparams& hparams, ggml_tensor* slots,
                 const std::vector<AttentionGroup>& groups,
                 std::vector<PagedAttentionParams>& params);

  StoredLayer Store(const GraphContext& graph, std::int32_t layer, ggml_tensor* keys,
                    ggml_tensor* values) const override;
  ggml_tensor* Attend(const GraphContext& graph, std::int32_t layer, ggml_tensor* queries,
                      const StoredLayer& stored, float scale) const override;

  // Nodes that a layer adds to a graph, at most.
  static std::size_t NodesALayer(std::size_t groups) { return 8 + 24 * groups; }

 private:
  ggml_tensor* AttendGroup(ggml_context* context, const AttentionGroup& group, ggml_tensor* queries,
                           const StoredLayer& stored, float scale) const;
  ggml_tensor* Gather(ggml_context* context, const AttentionGroup& group, ggml_tensor* pool) const;

  const CacheAttentionConfig& config_;
  const Hparams& hparams_;
  ggml_tensor* slots_;
  const std::vector<AttentionGroup>& groups_;
  std::vector<PagedAttentionParams>& params_;
};

}  // namespace llmr
