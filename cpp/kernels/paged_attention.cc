#include "kernels/paged_attention.h"

#include <array>

#include "kernels/paged_attention_isa.h"

namespace llmr {
namespace {

// Not made at the first call: several of ggml's threads make it at once.
constexpr std::array kIsas = {
    PagedAttentionIsa{"generic", kernel::PagedAttentionGenericF32,
                      kernel::PagedAttentionGenericF16},
#if defined(__x86_64__)
    PagedAttentionIsa{"avx2", kernel::PagedAttentionAvx2F32, kernel::PagedAttentionAvx2F16},
    PagedAttentionIsa{"avx512", kernel::PagedAttentionAvx512F32, kernel::PagedAttentionAvx512F16},
#endif
};

// How many of them this machine has.
std::size_t CountIsas() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("f16c")) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? 3 : 2;
  }
#endif
  return 1;
}

// ggml calls this on every thread of the graph.
void Compute(ggml_tensor* output, int thread, int threads, void* user_data) {
  const auto& params = *static_cast<const PagedAttentionParams*>(user_data);
  const ggml_tensor* queries = output->src[0];
  const ggml_tensor* keys = output->src[1];
  const ggml_tensor* values = output->src[2];
  const PagedAttentionArgs args = {
      .batch = params.batch,
      .queries = static_cast<const float*>(queries->data),
      .output = static_cast<float*>(output->data),
      .keys = static_cast<const std::byte*>(keys->data),
      .values = static_cast<const std::byte*>(values->data),
      .row_bytes = keys->nb[1],
      .query_token_stride = static_cast<std::int64_t>(queries->nb[2] / sizeof(float)),
      .query_head_stride = static_cast<std::int64_t>(queries->nb[1] / sizeof(float)),
      .heads = params.heads,
      .kv_heads = params.kv_heads,
      .head_dim = params.head_dim,
      .scale = params.scale,
  };
  const PagedAttentionIsa& isa = PagedAttentionIsas().back();
  (keys->type == GGML_TYPE_F16 ? isa.f16 : isa.f32)(args, thread, threads);
}

}  // namespace

std::span<const PagedAttentionIsa> PagedAttentionIsas() {
  return std::span(kIsas).first(CountIsas());
}

ggml_tensor* PagedAttention(ggml_context* context, ggml_tensor* queries, ggml_tensor* keys,
                            ggml_tensor* values, PagedAttentionParams* params) {
  ggml_tensor* sources[] = {queries, keys, values};
  return ggml_custom_4d(context, GGML_TYPE_F32, queries->ne[0] * queries->ne[1], queries->ne[2], 1,
                        1, sources, 3, Compute, GGML_N_TASKS_MAX, params);
}

}  // namespace llmr
