// Attention without intrinsics: loops that every compiler turns into what its machine has.
#include "kernels/paged_attention_isa.h"
#include "kernels/paged_attention_kernel.h"

namespace llmr::kernel {
namespace {

struct Generic {
  static constexpr int kWidth = 8;
  static constexpr int kRowsAtOnce = 2;
  struct Vector {
    float lane[kWidth];
  };

  template <class Function>
  static Vector Each(Function function) {
    Vector result;
    for (int i = 0; i < kWidth; ++i) {
      result.lane[i] = function(i);
    }
    return result;
  }

  static Vector Load(const float* source) {
    return Each([=](int i) { return source[i]; });
  }
  static void Store(float* target, const Vector& a) {
    for (int i = 0; i < kWidth; ++i) {
      target[i] = a.lane[i];
    }
  }
  static Vector Broadcast(float value) {
    return Each([=](int) { return value; });
  }
  static Vector Zero() { return Broadcast(0.0F); }
  static Vector Add(const Vector& a, const Vector& b) {
    return Each([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  static Vector Sub(const Vector& a, const Vector& b) {
    return Each([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  static Vector Mul(const Vector& a, const Vector& b) {
    return Each([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  static Vector Max(const Vector& a, const Vector& b) {
    return Each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
  }
  // One rounding where the machine has an instruction for it, two elsewhere: never the compiler's
  // choice (it is told not to contract).
  static Vector Fma(const Vector& a, const Vector& b, const Vector& c) {
#if defined(__FP_FAST_FMAF)
    return Each([&](int i) { return __builtin_fmaf(a.lane[i], b.lane[i], c.lane[i]); });
#else
    return Each([&](int i) { return a.lane[i] * b.lane[i] + c.lane[i]; });
#endif
  }
  // Adding and taking away 1.5 × 2^23 leaves the nearest integer, for |a| < 2^22.
  static Vector Round(const Vector& a) {
    return Each([&](int i) {
      const float shifted = a.lane[i] + 12582912.0F;
      return shifted - 12582912.0F;
    });
  }
  static Vector ScaleByPowerOfTwo(const Vector& a, const Vector& n) {
    return Each([&](int i) {
      const bool number = n.lane[i] >= -126.0F && n.lane[i] <= 127.0F;
      const std::int32_t exponent = number ? static_cast<std::int32_t>(n.lane[i]) : 0;
      return a.lane[i] * __builtin_bit_cast(float, (exponent + 127) << 23);
    });
  }
  static Vector ZeroBelow(const Vector& x, const Vector& limit, const Vector& y) {
    return Each([&](int i) { return x.lane[i] < limit.lane[i] ? 0.0F : y.lane[i]; });
  }
  static float ReduceAdd(const Vector& a) {
    const float even = (a.lane[0] + a.lane[4]) + (a.lane[2] + a.lane[6]);
    const float odd = (a.lane[1] + a.lane[5]) + (a.lane[3] + a.lane[7]);
    return even + odd;
  }
  static float ReduceMax(const Vector& a) {
    float largest = a.lane[0];
    for (int i = 1; i < kWidth; ++i) {
      largest = a.lane[i] > largest ? a.lane[i] : largest;
    }
    return largest;
  }
  static void Transpose(Vector (&rows)[kWidth]) {
    for (int i = 0; i < kWidth; ++i) {
      for (int j = 0; j < i; ++j) {
        const float upper = rows[j].lane[i];
        rows[j].lane[i] = rows[i].lane[j];
        rows[i].lane[j] = upper;
      }
    }
  }
  static float WidenOne(ggml_fp16_t half) { return ggml_fp16_to_fp32(half); }
  static Vector Widen(const ggml_fp16_t* source) {
    Vector result;
    ggml_fp16_to_fp32_row(source, result.lane, kWidth);
    return result;
  }
};

}  // namespace

void PagedAttentionGenericF32(const PagedAttentionArgs& args, int thread, int threads) {
  ComputeShare<Generic, float>(args, thread, threads);
}

void PagedAttentionGenericF16(const PagedAttentionArgs& args, int thread, int threads) {
  ComputeShare<Generic, ggml_fp16_t>(args, thread, threads);
}

}  // namespace llmr::kernel
