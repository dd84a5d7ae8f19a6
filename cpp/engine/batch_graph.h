// The graph that computes a batch: its nodes, its inputs, and where its logits come out.
#pragma once

#include <ggml-cpp.h>
#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/batch_inputs.h"
#include "kv/kv_cache.h"
#include "model/attention.h"
#include "model/model.h"
#include "sched/batch.h"

namespace llmr {

// The sizes that a graph is built for. One with the same sizes computes another batch too, unless
// ggml's attention is in it: then it depends on the sequences' lengths.
struct GraphShape {
  std::int32_t tokens = 0;
  std::int32_t outputs = 0;
  bool operator==(const GraphShape&) const = default;
};

// Holds nodes without data: whoever computes the graph allocates them. Not thread-safe; stays where
// it is, since nodes point into it.
class BatchGraph {
 public:
  // `on_cpu`: who attends in the layers that lie on the CPU; on a GPU it is ggml.
  BatchGraph(std::shared_ptr<const Model> model, std::shared_ptr<KvCache> cache,
             AttentionKind on_cpu);
  BatchGraph(const BatchGraph&) = delete;
  BatchGraph& operator=(const BatchGraph&) = delete;

  bool uses_ggml_attention() const { return uses_ggml_attention_; }
  std::size_t most_tensors() const { return most_tensors_; }  // nodes and leaves of a graph
  std::size_t bytes() const;  // that the nodes take, without their data

  // The batch in pieces whose graphs stay inside most_tensors().
  std::vector<BatchItems> Parts(const Batch& batch) const;

  // Lays the graph anew; what an earlier one held is gone. `items` may be empty unless
  // uses_ggml_attention(); they outlive the graph.
  void Build(const GraphShape& shape, BatchItems items);

  // What the next computation attends over; `items` fit the shape that was built, and outlive it.
  void AttendOver(BatchItems items);

  // REQUIRES: the graph is allocated; `items` are those of the last AttendOver().
  void SetInputs(const Batch& batch, BatchItems items);

  ggml_cgraph* graph() const { return graph_; }
  ggml_tensor* logits() const { return logits_; }  // null where no output is wanted

 private:
  void ChooseAttention(AttentionKind on_cpu);
  void AddGroups(BatchItems items);

  std::shared_ptr<const Model> model_;
  std::shared_ptr<KvCache> cache_;
  bool uses_ggml_attention_ = false;
  std::size_t most_tensors_ = 0;

  CacheAttentionConfig attention_;
  AttentionBatch spans_;  // of the part that is computed; the graph's nodes point here
  std::vector<PagedAttentionParams> paged_params_;  // one a layer; likewise

  std::unique_ptr<std::byte[]> memory_;  // the nodes'; ggml aborts where it gets none of its own
  ggml_context_ptr context_;
  ggml_cgraph* graph_ = nullptr;
  GraphInputs inputs_{};
  ggml_tensor* slots_ = nullptr;
  std::vector<AttentionGroup> groups_;
  std::vector<BatchItems> group_items_;
  ggml_tensor* logits_ = nullptr;
};

}  // namespace llmr
