// Finds damage in stored bytes. Not a defence against forgery: anyone can compute it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace llmr {

// The finaliser of splitmix64: a bijection of the 64-bit numbers that spreads every bit.
constexpr std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

// Of the bytes and their number, beginning with `seed`: h = Mix(seed + g + size), and for each
// eight bytes w, little-endian, the last ones filled up with zeros, h = Mix((h ^ w) + g), where g
// is 0x9E3779B97F4A7C15. Every step is a bijection of h and of w, so damage within one of those
// words never goes unnoticed, and other damage does with a probability of 2^-64.
std::uint64_t Checksum(std::uint64_t seed, std::span<const std::byte> bytes);

}  // namespace llmr
