// The numbers that shape a model, read from GGUF metadata and checked.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "gguf/gguf_shards.h"
#include "model/hparams_reader.h"
#include "model/rope_hparams.h"

namespace llmr {

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
  RopeHparams rope;  // of an architecture that turns heads by their positions

  std::int32_t kv_width() const { return kv_heads * head_dim; }
  std::int32_t query_width() const { return heads * head_dim; }
};

// What all decoders say by the same keys: sizes and heads; the vocabulary is as large as
// token_embd.weight. norm_epsilon and rope are left to the architecture.
// Errors: those of HparamsReader; MODEL_UNSUPPORTED for variants that share an architecture's name
// but need another graph (experts, attention in both directions).
Result<Hparams> ReadDecoderHparams(const GgufShards& shards, const HparamsReader& reader,
                                   const std::string& architecture);

}  // namespace llmr
