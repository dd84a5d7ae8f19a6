#include "kv/kv_snapshot.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "kv/snapshot_format.h"

namespace llmr {
namespace {

Status CheckGoing(const std::atomic<bool>& stop) {
  if (stop.load(std::memory_order_relaxed)) {
    return Error{ErrorCode::kFailedPrecondition, "ENGINE_CLOSED",
                 "the engine was closed before the snapshot was complete"};
  }
  return Ok();
}

// The most recently used blocks that a file of `max_bytes` holds.
std::span<const SealedBlock> Fitting(std::span<const SealedBlock> blocks, std::size_t header,
                                     std::size_t record, std::int64_t max_bytes) {
  if (max_bytes <= 0) {
    return blocks;
  }
  const auto limit = static_cast<std::size_t>(max_bytes);
  const std::size_t most = limit > header ? (limit - header) / record : 0;
  return blocks.first(std::min(blocks.size(), most));
}

// Holds the blocks that are brought back until all are: the one that is the parent of the next
// must not be evicted.
class Restoring {
 public:
  Restoring(SnapshotDecoder& decoder, BlockPool& pool, KvCache& cache)
      : decoder_(decoder), pool_(pool), cache_(cache) {
    blocks_.reserve(static_cast<std::size_t>(pool.size()));  // no push_back fails and leaks a block
  }
  Restoring(const Restoring&) = delete;
  Restoring& operator=(const Restoring&) = delete;
  // Released together, the first block ends up as the most recently used one.
  ~Restoring() { static_cast<void>(pool_.Release(blocks_)); }  // cannot fail: they are held

  Status Add(std::int32_t index) {
    LLMR_ASSIGN_OR_RETURN(const SnapshotRecord record, decoder_.Read(index));
    LLMR_ASSIGN_OR_RETURN(BlockId block, pool_.Allocate());
    blocks_.push_back(block);
    cache_.WriteBlock(block, record.kv);
    const BlockId parent =
        record.parent == kNoBlock ? kNoBlock : blocks_[static_cast<std::size_t>(record.parent)];
    LLMR_ASSIGN_OR_RETURN(blocks_.back(), pool_.Seal(block, parent, record.tokens));
    return Ok();
  }

 private:
  SnapshotDecoder& decoder_;
  BlockPool& pool_;
  KvCache& cache_;
  std::vector<BlockId> blocks_;  // of the records, in their order
};

}  // namespace

Result<std::int64_t> SaveSnapshot(const SnapshotFile& file, std::int64_t max_bytes,
                                  const BlockPool& pool, const KvCache& cache,
                                  const std::atomic<bool>& stop) {
  LLMR_RETURN_IF_ERROR(CheckSnapshotKey(file.key));
  const SnapshotLayout layout = SnapshotLayout::Of(cache.config());
  const std::vector<SealedBlock> sealed = pool.SealedBlocks();
  const std::size_t header = SnapshotEncoder(file.key, layout, 0).header().size();
  const auto blocks = Fitting(sealed, header, layout.record_bytes(), max_bytes);
  if (blocks.empty()) {
    return 0;
  }
  LLMR_RETURN_IF_ERROR(CheckGoing(stop));
  SnapshotEncoder encoder(file.key, layout, blocks.size());
  LLMR_ASSIGN_OR_RETURN(AtomicFile target, AtomicFile::Create(file.path, AtomicFile::kOwnerOnly));
  LLMR_RETURN_IF_ERROR(target.Write(encoder.header()));
  for (const SealedBlock& block : blocks) {
    LLMR_RETURN_IF_ERROR(CheckGoing(stop));
    cache.ReadBlock(block.block, encoder.kv());
    LLMR_RETURN_IF_ERROR(target.Write(encoder.Record(block.parent, block.tokens)));
  }
  LLMR_RETURN_IF_ERROR(target.Commit());
  return static_cast<std::int64_t>(blocks.size()) * layout.block_size;
}

Result<std::int64_t> RestoreSnapshot(const SnapshotFile& file, std::int32_t vocabulary,
                                     BlockPool& pool, KvCache& cache,
                                     const std::atomic<bool>& stop) {
  LLMR_RETURN_IF_ERROR(CheckSnapshotKey(file.key));
  LLMR_ASSIGN_OR_RETURN(const MappedFile mapped, MappedFile::Open(file.path));
  LLMR_ASSIGN_OR_RETURN(
      SnapshotDecoder decoder,
      SnapshotDecoder::Open(mapped.bytes(), {.key = file.key,
                                             .layout = SnapshotLayout::Of(cache.config()),
                                             .vocabulary = vocabulary}));
  const std::int32_t count = std::min(decoder.blocks(), pool.free());
  Restoring restoring(decoder, pool, cache);
  for (std::int32_t index = 0; index < count; ++index) {
    LLMR_RETURN_IF_ERROR(CheckGoing(stop));
    LLMR_RETURN_IF_ERROR(restoring.Add(index));
  }
  return std::int64_t{count} * pool.block_size();
}

}  // namespace llmr
