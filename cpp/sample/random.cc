#include "sample/random.h"

namespace llmr {
namespace {

std::uint32_t High(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
std::uint32_t Low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }

}  // namespace

std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = 0xD2511F53ULL * counter[0];
    const std::uint64_t second = 0xCD9E8D57ULL * counter[2];
    counter = {High(second) ^ counter[1] ^ key[0], Low(second), High(first) ^ counter[3] ^ key[1],
               Low(first)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

double UniformAt(std::uint64_t seed, std::uint64_t position) {
  const auto bits = Philox({Low(position), High(position), 0, 0}, {Low(seed), High(seed)});
  const std::uint64_t joined = (std::uint64_t{bits[0]} << 32) | bits[1];
  return static_cast<double>(joined >> 11) * 0x1.0p-53;
}

}  // namespace llmr
