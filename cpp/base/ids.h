// The numbers by which the layers name tokens, sequences and blocks.
#pragma once

#include <cstdint>

namespace llmr {

using TokenId = std::int32_t;      // index into the model's vocabulary
using SequenceId = std::uint64_t;  // unique within an engine, from 1
using BlockId = std::int32_t;      // index into the KV pool

inline constexpr BlockId kNoBlock = -1;

}  // namespace llmr
