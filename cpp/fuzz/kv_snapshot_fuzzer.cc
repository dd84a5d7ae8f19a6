// Any bytes are refused or give blocks whose every promise holds. Twice: as they are, and with
// right checksums, behind which mutations would find nothing.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "base/checksum.h"
#include "kv/snapshot_format.h"

namespace {

const llmr::SnapshotTerms kTerms = {
    .key = "key",
    .layout = {.type = llmr::KvType::kF32, .block_size = 2, .layers = 1, .width = 2},
    .vocabulary = 100};

// Ends the process where a promise of snapshot_format.h is broken.
void CheckRecord(const llmr::SnapshotRecord& record, std::int32_t index) {
  const bool tokens_fit = std::ranges::all_of(
      record.tokens, [](llmr::TokenId token) { return token >= 0 && token < kTerms.vocabulary; });
  if (record.parent < llmr::kNoBlock || record.parent >= index || record.tokens.size() != 2 ||
      !tokens_fit || record.kv.size() != kTerms.layout.kv_bytes()) {
    std::abort();
  }
  volatile unsigned sum = 0;
  for (const std::byte byte : record.kv) {
    sum = sum + static_cast<unsigned>(byte);
  }
}

void Decode(std::span<const std::byte> file) {
  auto decoder = llmr::SnapshotDecoder::Open(file, kTerms);
  for (std::int32_t index = 0; decoder.ok() && index < decoder->blocks(); ++index) {
    if (const auto record = decoder->Read(index); record.ok()) {
      CheckRecord(*record, index);
    }
  }
}

std::uint64_t Seal(std::uint64_t seed, std::span<std::byte> bytes) {
  const std::size_t end = bytes.size() - sizeof(std::uint64_t);
  const std::uint64_t checksum = llmr::Checksum(seed, bytes.first(end));
  std::memcpy(bytes.data() + end, &checksum, sizeof(checksum));
  return checksum;
}

// The file with right checksums, wherever its header says that they lie.
std::vector<std::byte> Sealed(std::span<const std::byte> file) {
  constexpr std::size_t kFixed = 40;
  std::vector<std::byte> sealed(file.begin(), file.end());
  std::uint32_t key_bytes = 0;
  if (file.size() < kFixed) {
    return sealed;
  }
  std::memcpy(&key_bytes, file.data() + 12, sizeof(key_bytes));
  std::span<std::byte> rest(sealed);
  if (rest.size() < kFixed + key_bytes + sizeof(std::uint64_t)) {
    return sealed;
  }
  const std::size_t header = kFixed + key_bytes + sizeof(std::uint64_t);
  std::uint64_t seed = Seal(0, rest.first(header));
  const std::size_t record = kTerms.layout.record_bytes();
  for (rest = rest.subspan(header); rest.size() >= record; rest = rest.subspan(record)) {
    Seal(seed++, rest.first(record));
  }
  return sealed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  Decode(file);
  Decode(Sealed(file));
  return 0;
}
