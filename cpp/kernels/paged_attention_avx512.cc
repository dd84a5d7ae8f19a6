// Attention with AVX-512; empty elsewhere.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/paged_attention_isa.h"
#include "kernels/paged_attention_kernel.h"

namespace llmr::kernel {
namespace {

struct Avx512 {
  static constexpr int kWidth = 16;
  static constexpr int kRowsAtOnce = 4;
  using Vector = __m512;

  static Vector Load(const float* source) { return _mm512_loadu_ps(source); }
  static void Store(float* target, Vector a) { _mm512_storeu_ps(target, a); }
  static Vector Zero() { return _mm512_setzero_ps(); }
  static Vector Broadcast(float value) { return _mm512_set1_ps(value); }
  static Vector Add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector Sub(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector Mul(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector Max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  static Vector Fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector Round(Vector a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  static Vector ScaleByPowerOfTwo(Vector a, Vector n) { return _mm512_scalef_ps(a, n); }
  static Vector ZeroBelow(Vector x, Vector limit, Vector y) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, limit, _CMP_NLT_UQ), y);
  }
  static float ReduceAdd(Vector a) {
    const __m256 eight = _mm256_add_ps(Low(a), High(a));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float ReduceMax(Vector a) {
    const __m256 eight = _mm256_max_ps(Low(a), High(a));
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static void Transpose(Vector (&rows)[kWidth]) {
    Vector pairs[kWidth];
    for (int i = 0; i < kWidth; i += 2) {
      pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
      pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    Vector fours[kWidth];  // fours[i + j]: column j of rows i … i + 3, in each quarter
    for (int i = 0; i < kWidth; i += 4) {
      fours[i] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
      fours[i + 1] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
      fours[i + 2] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
      fours[i + 3] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      const Vector low_even = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0x88);
      const Vector low_odd = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0xDD);
      const Vector high_even = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0x88);
      const Vector high_odd = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0xDD);
      rows[i] = _mm512_shuffle_f32x4(low_even, high_even, 0x88);
      rows[i + 4] = _mm512_shuffle_f32x4(low_odd, high_odd, 0x88);
      rows[i + 8] = _mm512_shuffle_f32x4(low_even, high_even, 0xDD);
      rows[i + 12] = _mm512_shuffle_f32x4(low_odd, high_odd, 0xDD);
    }
  }
  static Vector Widen(const ggml_fp16_t* source) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(source)));
  }
  static float WidenOne(ggml_fp16_t half) {
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
  }

 private:
  static __m256 Low(Vector a) { return _mm512_castps512_ps256(a); }
  static __m256 High(Vector a) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1));
  }
};

}  // namespace

void PagedAttentionAvx512F32(const PagedAttentionArgs& args, int thread, int threads) {
  ComputeShare<Avx512, float>(args, thread, threads);
}

void PagedAttentionAvx512F16(const PagedAttentionArgs& args, int thread, int threads) {
  ComputeShare<Avx512, ggml_fp16_t>(args, thread, threads);
}

}  // namespace llmr::kernel
#endif
