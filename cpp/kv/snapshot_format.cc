#include "kv/snapshot_format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "base/checksum.h"
#include "base/quote.h"

namespace llmr {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they are");

constexpr std::string_view kMagic = "LLMRKVS\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kMaxKeyBytes = 4096;
constexpr std::uint32_t kNoParent = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);

// The header up to the key, as it lies in the file.
struct FixedHeader {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t key_bytes;
  std::uint32_t type;
  std::uint32_t block_size;
  std::uint32_t layers;
  std::uint32_t width;
  std::uint64_t blocks;
};
static_assert(sizeof(FixedHeader) == 40);

Error Damaged(const std::string& why) {
  return Error{ErrorCode::kDataLoss, "KV_SNAPSHOT_DAMAGED", "KV snapshot: " + why};
}

Error Mismatch(const std::string& why) {
  return Error{ErrorCode::kFailedPrecondition, "KV_SNAPSHOT_MISMATCH", "KV snapshot: " + why};
}

template <class T>
T Load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <class T>
void Store(std::span<std::byte> bytes, const T& value) {
  std::memcpy(bytes.data(), &value, sizeof(T));
}

void StoreChecksum(std::uint64_t seed, std::span<std::byte> bytes) {
  const std::size_t end = bytes.size() - kChecksumBytes;
  Store(bytes.subspan(end), Checksum(seed, bytes.first(end)));
}

bool HasChecksum(std::uint64_t seed, std::span<const std::byte> bytes) {
  const std::size_t end = bytes.size() - kChecksumBytes;
  return Load<std::uint64_t>(bytes.subspan(end)) == Checksum(seed, bytes.first(end));
}

std::size_t TokenBytes(const SnapshotLayout& layout) {
  return sizeof(TokenId) * static_cast<std::size_t>(layout.block_size);
}

FixedHeader HeaderOf(const std::string& key, const SnapshotLayout& layout, std::uint64_t blocks) {
  FixedHeader header = {.magic = {},
                        .version = kVersion,
                        .key_bytes = static_cast<std::uint32_t>(key.size()),
                        .type = layout.type == KvType::kF16 ? 1U : 0U,
                        .block_size = static_cast<std::uint32_t>(layout.block_size),
                        .layers = static_cast<std::uint32_t>(layout.layers),
                        .width = static_cast<std::uint32_t>(layout.width),
                        .blocks = blocks};
  std::ranges::copy(kMagic, header.magic.begin());
  return header;
}

// A copy of the whole header, its checksum included, which is right.
Result<std::vector<std::byte>> CheckedHeader(std::span<const std::byte> file) {
  if (file.size() < sizeof(FixedHeader)) {
    return Damaged("the header is cut off");
  }
  const auto fixed = Load<FixedHeader>(file);
  if (!std::ranges::equal(fixed.magic, kMagic)) {
    return Damaged("the file is none");
  }
  if (fixed.version != kVersion) {
    return Mismatch("version is " + std::to_string(fixed.version) +
                    "; allowed: " + std::to_string(kVersion));
  }
  if (fixed.key_bytes > kMaxKeyBytes ||
      fixed.key_bytes + kChecksumBytes > file.size() - sizeof(FixedHeader)) {
    return Damaged("the key is cut off");
  }
  const auto whole = file.first(sizeof(FixedHeader) + fixed.key_bytes + kChecksumBytes);
  std::vector<std::byte> copy(whole.begin(), whole.end());
  if (Load<FixedHeader>(copy).key_bytes != fixed.key_bytes || !HasChecksum(0, copy)) {
    return Damaged("the header's checksum is wrong");
  }
  return copy;
}

Status CheckTerms(std::span<const std::byte> header, const SnapshotTerms& terms) {
  const auto fixed = Load<FixedHeader>(header);
  const auto wanted = HeaderOf(terms.key, terms.layout, fixed.blocks);
  const std::string key(reinterpret_cast<const char*>(header.data()) + sizeof(FixedHeader),
                        fixed.key_bytes);
  if (key != terms.key) {
    return Mismatch("key is " + Quote(key) + "; wanted: " + Quote(terms.key));
  }
  if (std::memcmp(&fixed, &wanted, sizeof(FixedHeader)) != 0) {
    return Mismatch("the KV cache that it was made of has another layout");
  }
  return Ok();
}

}  // namespace

SnapshotLayout SnapshotLayout::Of(const KvCacheConfig& config) {
  return {.type = config.type,
          .block_size = config.block_size,
          .layers = config.layers,
          .width = config.width};
}

std::size_t SnapshotLayout::kv_bytes() const {
  return KvBytesPerBlock({.layers = layers,
                          .width = width,
                          .blocks = 0,
                          .block_size = block_size,
                          .type = type,
                          .placement = {}});
}

std::size_t SnapshotLayout::record_bytes() const {
  return sizeof(std::uint32_t) + TokenBytes(*this) + kv_bytes() + kChecksumBytes;
}

Status CheckSnapshotKey(const std::string& key) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return Error{ErrorCode::kInvalidArgument, "KV_SNAPSHOT_KEY",
                 "key is of " + std::to_string(key.size()) + " bytes; allowed: 1 to " +
                     std::to_string(kMaxKeyBytes)};
  }
  return Ok();
}

SnapshotEncoder::SnapshotEncoder(const std::string& key, const SnapshotLayout& layout,
                                 std::uint64_t blocks)
    : layout_(layout),
      header_(sizeof(FixedHeader) + key.size() + kChecksumBytes),
      record_(layout.record_bytes()) {
  const std::span<std::byte> bytes(header_);
  Store(bytes, HeaderOf(key, layout, blocks));
  std::memcpy(bytes.data() + sizeof(FixedHeader), key.data(), key.size());
  StoreChecksum(0, bytes);
  seed_ = Load<std::uint64_t>(bytes.last(kChecksumBytes));
}

std::span<std::byte> SnapshotEncoder::kv() {
  return std::span(record_).subspan(sizeof(std::uint32_t) + TokenBytes(layout_),
                                    layout_.kv_bytes());
}

std::span<const std::byte> SnapshotEncoder::Record(std::int32_t parent,
                                                   std::span<const TokenId> tokens) {
  const std::span<std::byte> bytes(record_);
  Store(bytes, parent == kNoBlock ? kNoParent : static_cast<std::uint32_t>(parent));
  std::memcpy(bytes.data() + sizeof(std::uint32_t), tokens.data(), tokens.size_bytes());
  StoreChecksum(seed_++, bytes);
  return record_;
}

Result<SnapshotDecoder> SnapshotDecoder::Open(std::span<const std::byte> file,
                                              SnapshotTerms terms) {
  LLMR_ASSIGN_OR_RETURN(const std::vector<std::byte> header, CheckedHeader(file));
  LLMR_RETURN_IF_ERROR(CheckTerms(header, terms));
  const std::uint64_t blocks = Load<FixedHeader>(header).blocks;
  const auto records = file.subspan(header.size());
  const std::size_t each = terms.layout.record_bytes();
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (blocks > kMost || records.size() % each != 0 || records.size() / each != blocks) {
    return Damaged("the file is of another size than its header says");
  }
  const auto seed = Load<std::uint64_t>(std::span(header).last(kChecksumBytes));
  return SnapshotDecoder(records, std::move(terms), static_cast<std::int32_t>(blocks), seed);
}

SnapshotDecoder::SnapshotDecoder(std::span<const std::byte> records, SnapshotTerms terms,
                                 std::int32_t blocks, std::uint64_t seed)
    : records_(records), terms_(std::move(terms)), blocks_(blocks), seed_(seed) {}

Result<SnapshotRecord> SnapshotDecoder::Read(std::int32_t index) {
  const std::string name = "block " + std::to_string(index);
  const std::size_t each = terms_.layout.record_bytes();
  const auto found = records_.subspan(static_cast<std::size_t>(index) * each, each);
  record_.assign(found.begin(), found.end());
  const std::span<const std::byte> bytes(record_);
  if (!HasChecksum(seed_ + static_cast<std::uint64_t>(index), bytes)) {
    return Damaged("the checksum of " + name + " is wrong");
  }
  const auto parent = Load<std::uint32_t>(bytes);
  if (parent != kNoParent && parent >= static_cast<std::uint32_t>(index)) {
    return Damaged("the parent of " + name + " is " + std::to_string(parent) +
                   "; allowed: a block before it");
  }
  SnapshotRecord record;
  record.parent = parent == kNoParent ? kNoBlock : static_cast<std::int32_t>(parent);
  record.tokens.resize(static_cast<std::size_t>(terms_.layout.block_size));
  std::memcpy(record.tokens.data(), bytes.data() + sizeof(parent), TokenBytes(terms_.layout));
  for (const TokenId token : record.tokens) {
    if (token < 0 || token >= terms_.vocabulary) {
      return Damaged("a token of " + name + " is " + std::to_string(token) + "; allowed: 0 to " +
                     std::to_string(terms_.vocabulary - 1));
    }
  }
  record.kv = bytes.subspan(sizeof(parent) + TokenBytes(terms_.layout), terms_.layout.kv_bytes());
  return record;
}

}  // namespace llmr
