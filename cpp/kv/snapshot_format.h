// The bytes of a KV snapshot: a file of cached prefixes.
//
// All numbers are little-endian. A header:
//
//    0  8  "LLMRKVS\n"
//    8  4  version of this format: 1
//   12  4  n, bytes of the key: 1 to 4096
//   16  4  number format of keys and values: 0 F32, 1 F16
//   20  4  b, tokens a block
//   24  4  layers
//   28  4  elements of one token's keys in one layer, and of its values
//   32  8  number of blocks
//   40  n  the key: says which model, build and settings the numbers come from
//    …  8  checksum of all of the above (base/checksum.h, seed 0)
//
// and behind it one record a block, without gaps, to the end of the file. The most recently used
// block comes first, but every block comes after the one whose tokens come before its own:
//
//    0  4  parent: index of that block in the file, or 2^32 - 1 at the beginning of a prompt
//    4  4b its tokens
//    …  …  layer by layer its keys, then its values, each token by token
//    …  8  checksum of all of the above, its seed the header's checksum plus the record's index
//
// So a record counts only in its place in its file, and every byte of a file is checked. Nobody
// vouches for the bytes: every size is compared with the file's before it is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "kv/kv_cache.h"

namespace llmr {

struct SnapshotLayout {
  KvType type = KvType::kF32;
  std::int32_t block_size = 0;
  std::int32_t layers = 0;
  std::int32_t width = 0;

  static SnapshotLayout Of(const KvCacheConfig& config);
  std::size_t kv_bytes() const;      // keys and values of a block
  std::size_t record_bytes() const;  // all of a block's record
  bool operator==(const SnapshotLayout&) const = default;
};

// What a reader expects of a file.
struct SnapshotTerms {
  std::string key;
  SnapshotLayout layout;
  std::int32_t vocabulary = 0;  // tokens are below it
};

// INVALID_ARGUMENT / KV_SNAPSHOT_KEY for a key that no header can hold.
Status CheckSnapshotKey(const std::string& key);

// Writes a file's parts one after the other.
class SnapshotEncoder {
 public:
  // REQUIRES: a key that CheckSnapshotKey accepts, a layout of a KvCache.
  SnapshotEncoder(const std::string& key, const SnapshotLayout& layout, std::uint64_t blocks);

  std::span<const std::byte> header() const { return header_; }

  // Where the keys and values of the next record go.
  std::span<std::byte> kv();

  // The next record, of the present kv(), valid until the next call. `parent` is kNoBlock or the
  // index of an earlier record.
  std::span<const std::byte> Record(std::int32_t parent, std::span<const TokenId> tokens);

 private:
  SnapshotLayout layout_;
  std::vector<std::byte> header_;
  std::vector<std::byte> record_;
  std::uint64_t seed_;  // of the next record's checksum
};

struct SnapshotRecord {
  std::int32_t parent = kNoBlock;  // below the record's index
  std::vector<TokenId> tokens;
  std::span<const std::byte> kv;  // in the decoder, until its next Read
};

// Checks and reads a file that is held in memory, which may change under its hands: it looks only
// at copies. Not thread-safe.
class SnapshotDecoder {
 public:
  // Checks the header and the size of the file. `file` outlives the decoder. Errors:
  // FAILED_PRECONDITION / KV_SNAPSHOT_MISMATCH for another version, key or layout; DATA_LOSS /
  // KV_SNAPSHOT_DAMAGED.
  static Result<SnapshotDecoder> Open(std::span<const std::byte> file, SnapshotTerms terms);

  std::int32_t blocks() const { return blocks_; }

  // REQUIRES: 0 <= index < blocks(). Errors: DATA_LOSS / KV_SNAPSHOT_DAMAGED.
  Result<SnapshotRecord> Read(std::int32_t index);

 private:
  SnapshotDecoder(std::span<const std::byte> records, SnapshotTerms terms, std::int32_t blocks,
                  std::uint64_t seed);

  std::span<const std::byte> records_;
  SnapshotTerms terms_;
  std::int32_t blocks_;
  std::uint64_t seed_;  // the header's checksum
  std::vector<std::byte> record_;
};

}  // namespace llmr
