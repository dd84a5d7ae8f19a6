// Attention with AVX2, FMA and F16C; empty elsewhere.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/paged_attention_isa.h"
#include "kernels/paged_attention_kernel.h"

namespace llmr::kernel {
namespace {

struct Avx2 {
  static constexpr int kWidth = 8;
  static constexpr int kRowsAtOnce = 2;
  using Vector = __m256;

  static Vector Load(const float* source) { return _mm256_loadu_ps(source); }
  static void Store(float* target, Vector a) { _mm256_storeu_ps(target, a); }
  static Vector Zero() { return _mm256_setzero_ps(); }
  static Vector Broadcast(float value) { return _mm256_set1_ps(value); }
  static Vector Add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector Sub(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector Mul(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector Max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  static Vector Fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector Round(Vector a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static Vector ScaleByPowerOfTwo(Vector a, Vector n) {
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
  }
  static Vector ZeroBelow(Vector x, Vector limit, Vector y) {
    return _mm256_and_ps(_mm256_cmp_ps(x, limit, _CMP_NLT_UQ), y);
  }
  static float ReduceAdd(Vector a) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float ReduceMax(Vector a) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static void Transpose(Vector (&rows)[kWidth]) {
    Vector pairs[kWidth];
    for (int i = 0; i < kWidth; i += 2) {
      pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
      pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
    }
    Vector fours[kWidth];
    for (int i = 0; i < kWidth; i += 4) {
      fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
      fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
      fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
      fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      rows[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
      rows[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
  }
  static Vector Widen(const ggml_fp16_t* source) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(source)));
  }
  static float WidenOne(ggml_fp16_t half) { return _cvtsh_ss(half); }
};

}  // namespace

void PagedAttentionAvx2F32(const PagedAttentionArgs& args, int thread, int threads) {
  ComputeShare<Avx2, float>(args, thread, threads);
}

void PagedAttentionAvx2F16(const PagedAttentionArgs& args, int thread, int threads) {
  ComputeShare<Avx2, ggml_fp16_t>(args, thread, threads);
}

}  // namespace llmr::kernel
#endif
