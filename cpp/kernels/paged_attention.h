// Attention over block tables on the CPU: the operation that makes results independent of the
// batch.
//
// For each query the positions 0, 1, 2 … up to its own are taken in steps of a fixed size that
// start at position 0, with one order of additions in F32. So a result depends only on its query,
// the keys and values before it and the instruction set: not on the other tokens of the batch, the
// chunks of the prompt, a shared prefix or the number of threads.
#pragma once

#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace llmr {

// Consecutive tokens of one sequence.
struct AttentionSpan {
  std::int32_t first_token = 0;          // column of its first query
  std::int32_t token_count = 0;          // at least 1
  std::int32_t start_position = 0;       // position of the first query
  const std::int32_t* blocks = nullptr;  // block table, covers start_position + token_count
};

// What all layers of one batch share. Owns nothing but its list; the block tables belong to the
// batch.
struct AttentionBatch {
  std::vector<AttentionSpan> spans;
  std::int32_t block_size = 0;  // tokens a block
};

// One layer's operands. Rows are contiguous; strides are in elements, but row_bytes.
struct PagedAttentionArgs {
  const AttentionBatch* batch = nullptr;
  const float* queries = nullptr;     // [tokens][heads][head_dim]
  float* output = nullptr;            // [tokens][heads][head_dim]
  const std::byte* keys = nullptr;    // [slots][kv_heads][head_dim], F32 or F16
  const std::byte* values = nullptr;  // the same
  std::size_t row_bytes = 0;          // of one slot
  std::int64_t query_token_stride = 0;
  std::int64_t query_head_stride = 0;
  std::int32_t heads = 0;
  std::int32_t kv_heads = 0;  // divides heads
  std::int32_t head_dim = 0;  // at most kMaxHeadDim
  float scale = 1.0F;
};

inline constexpr std::int32_t kMaxHeadDim = 512;

// Computes the share of thread `thread` of `threads`; every share writes its own part of `output`
// and needs no other. Takes its scratch memory, at most 192 KiB, from the stack.
using PagedAttentionKernel = void (*)(const PagedAttentionArgs& args, int thread, int threads);

struct PagedAttentionIsa {
  std::string_view name;  // "generic", "avx2", "avx512"
  PagedAttentionKernel f32;
  PagedAttentionKernel f16;
};

// The instruction sets that this machine has, the best one last.
std::span<const PagedAttentionIsa> PagedAttentionIsas();

// What the graph node needs while it runs: must outlive the graph's computation.
struct PagedAttentionParams {
  const AttentionBatch* batch = nullptr;
  float scale = 1.0F;
  std::int32_t heads = 0;
  std::int32_t kv_heads = 0;
  std::int32_t head_dim = 0;
};

// The operation as a graph node: queries F32 [head_dim, heads, tokens], keys and values
// [kv_width, slots] of F32 or F16. Returns F32 [head_dim × heads, tokens].
ggml_tensor* PagedAttention(ggml_context* context, ggml_tensor* queries, ggml_tensor* keys,
                            ggml_tensor* values, PagedAttentionParams* params);

}  // namespace llmr
