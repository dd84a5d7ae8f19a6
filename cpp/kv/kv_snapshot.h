// Cached prefixes to a file and back (snapshot_format.h says how it looks).
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/status.h"
#include "kv/block_pool.h"
#include "kv/kv_cache.h"

namespace llmr {

struct SnapshotFile {
  std::string path;
  // Names everything that the numbers depend on: the model, the build, the machine's settings.
  // 1 to 4096 bytes.
  std::string key;
};

// Both run in the thread that owns pool and cache, between two batches, and return a number of
// tokens. Once `stop` is true they end within a block with FAILED_PRECONDITION / ENGINE_CLOSED.
// Errors of both: INVALID_ARGUMENT / KV_SNAPSHOT_KEY.

// Writes the sealed blocks, at most `max_bytes` of file (0: all): then the most recently used ones.
// The file appears whole or not at all, in place of the one before. 0, and nothing is written,
// where there is no block. Errors: those of AtomicFile.
Result<std::int64_t> SaveSnapshot(const SnapshotFile& file, std::int64_t max_bytes,
                                  const BlockPool& pool, const KvCache& cache,
                                  const std::atomic<bool>& stop);

// Brings blocks back as far as free ones go, the most recently used ones first. They are evictable
// then, as good as free to whoever needs memory, and nothing that was cached is evicted for them.
// Nothing enters the cache that was not checked; what an error comes after stays, and is right.
// Errors: those of MappedFile::Open and SnapshotDecoder; DATA_LOSS / KV_SNAPSHOT_DAMAGED also where
// the file shrinks meanwhile.
Result<std::int64_t> RestoreSnapshot(const SnapshotFile& file, std::int32_t vocabulary,
                                     BlockPool& pool, KvCache& cache,
                                     const std::atomic<bool>& stop);

}  // namespace llmr
