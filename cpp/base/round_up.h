// Sizes that are padded.
#pragma once

#include <cstddef>

namespace llmr {

// The least multiple of `multiple` that is not less than `value`. REQUIRES: it does not overflow.
constexpr std::size_t RoundUp(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace llmr
