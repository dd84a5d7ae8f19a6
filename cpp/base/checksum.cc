#include "base/checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace llmr {

static_assert(std::endian::native == std::endian::little, "words are read without swapping bytes");

std::uint64_t Checksum(std::uint64_t seed, std::span<const std::byte> bytes) {
  constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = Mix(seed + kGolden + bytes.size());
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(bytes.size(), sizeof(word));
    std::memcpy(&word, bytes.data(), size);
    hash = Mix((hash ^ word) + kGolden);
    bytes = bytes.subspan(size);
  }
  return hash;
}

}  // namespace llmr
