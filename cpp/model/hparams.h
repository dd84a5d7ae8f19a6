// The numbers that shape a model, read from GGUF metadata and checked.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "gguf/gguf_shards.h"

namespace llmr {

enum class RopeScaling { kNone, kLinear, kYarn };

struct RopeHparams {
  std::int32_t dimensions = 0;  // rotated elements of a head: even, at most head_dim
  float base = 10000.0F;
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1.0F;                // context extension by `scaling`, at least 1
  std::int32_t original_context = 0;  // context before the extension
  float attention_factor = 1.0F;      // YaRN: multiplies the rotated vectors' length
  float beta_fast = 32.0F;            // YaRN: rotations above which a frequency stays
  float beta_slow = 1.0F;             // YaRN: rotations below which it is interpolated
};

// Every value is inside the range that its graph can compute; products of two fit in 64 bits.
struct Hparams {
  std::string architecture;
  std::int32_t vocabulary = 0;
  std::int32_t context_length = 0;  // that the model was trained for
  std::int32_t layers = 0;
  std::int32_t embedding = 0;     // width of a token's hidden state
  std::int32_t feed_forward = 0;  // width inside the feed-forward network
  std::int32_t heads = 0;
  std::int32_t kv_heads = 0;  // divides heads
  std::int32_t head_dim = 0;
  float norm_epsilon = 0.0F;
  RopeHparams rope;

  std::int32_t kv_width() const { return kv_heads * head_dim; }
  std::int32_t query_width() const { return heads * head_dim; }
};

// Reads the keys "<architecture>.*" as the llama family names them.
// Errors: FAILED_PRECONDITION / GGUF_INVALID naming key, value and what is allowed;
// UNIMPLEMENTED / MODEL_UNSUPPORTED for known variants that no graph computes (experts, other
// scalings).
Result<Hparams> ReadHparams(const GgufShards& shards, const std::string& architecture);

}  // namespace llmr
