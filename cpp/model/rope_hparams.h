// How the heads of a model are turned by their positions.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "model/hparams_reader.h"

namespace llmr {

enum class RopeScaling { kNone, kLinear, kYarn };

struct RopeHparams {
  std::int32_t dimensions = 0;  // rotated elements of a head: even, at most head_dim
  float base = 10000.0F;
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1.0F;                // context extension by `scaling`, above 0
  std::int32_t original_context = 0;  // context before the extension
  float attention_factor = 1.0F;      // YaRN: multiplies the rotated vectors' length
  float beta_fast = 32.0F;            // YaRN: rotations above which a frequency stays
  float beta_slow = 1.0F;             // YaRN: rotations below which it is interpolated
};

// Reads the keys "<architecture>.rope.*"; the sizes are what they are where nothing is said.
// Errors: those of HparamsReader; MODEL_UNSUPPORTED for other scalings.
Result<RopeHparams> ReadRope(const HparamsReader& reader, std::int32_t head_dim,
                             std::int32_t context_length);

}  // namespace llmr
