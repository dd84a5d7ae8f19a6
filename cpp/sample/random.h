// Random numbers as a function: the same (seed, position) gives the same number, whatever was
// drawn before, elsewhere or in between.
#pragma once

#include <array>
#include <cstdint>

namespace llmr {

// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3".
std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

// Uniform in [0, 1), 53 bits.
double UniformAt(std::uint64_t seed, std::uint64_t position);

}  // namespace llmr
