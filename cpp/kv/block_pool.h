// Who uses which block of the KV cache, and which blocks hold tokens that are worth reusing.
//
// Pure bookkeeping: no memory for keys and values (kv_cache.h), no ggml, no threads, no clock, and
// deterministic. A block is in one of three states:
//
//   free       nobody refers to it, its content is worthless
//   held       reference count ≥ 1
//   evictable  nobody refers to it, but it is sealed: its content can be found by Match until the
//              block is needed elsewhere; the one unused for longest goes first
//
// Sealing names the content of a full block: its tokens and, by the parent, all tokens before
// them. A sealed block is never written again, so any number of sequences may share it. Every
// match compares the stored tokens and the identity of the parent: equal hashes share nothing by
// themselves.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/status.h"

namespace llmr {

// Hash of a block's content given the hash of its parent's (0 without parent).
using PrefixHash = std::uint64_t (*)(std::uint64_t parent, std::span<const TokenId> tokens);
std::uint64_t HashPrefix(std::uint64_t parent, std::span<const TokenId> tokens);

struct BlockPoolConfig {
  std::int32_t blocks = 0;
  std::int32_t block_size = 16;  // tokens a block
  PrefixHash hash = HashPrefix;  // another one in tests: collisions must be harmless
};

// A block that Match can find.
struct SealedBlock {
  BlockId block = kNoBlock;
  std::int32_t parent = kNoBlock;   // index of the block before it in the same list
  std::span<const TokenId> tokens;  // in the pool, until it changes
};

// Not thread-safe. Misuse by a caller (unknown block, release of a block that is not held) is
// INTERNAL / KV_BLOCK_MISUSE and changes nothing.
class BlockPool {
 public:
  // Errors: INVALID_ARGUMENT / KV_CONFIG for sizes that are not positive.
  static Result<BlockPool> Create(const BlockPoolConfig& config);

  // A block of undefined content with one reference, the caller's. Prefers free blocks to
  // evictable ones. Errors: RESOURCE_EXHAUSTED / KV_POOL_EXHAUSTED.
  Result<BlockId> Allocate();

  // Adds a reference to a held block.
  Status Retain(BlockId block);

  // Takes one reference from each, the last block first, so that of a sequence's blocks the end is
  // evicted before the beginning. Checks all before it changes any.
  Status Release(std::span<const BlockId> blocks);

  // Makes a held block findable: it holds the keys and values of `tokens` (exactly block_size)
  // behind those of `parent` (kNoBlock: at the beginning), a sealed block that the caller holds.
  // Returns the block to use from now on: the same one or, where an equal one is sealed already,
  // that one; the caller's reference moves there.
  Result<BlockId> Seal(BlockId block, BlockId parent, std::span<const TokenId> tokens);

  // The longest chain of sealed blocks that holds the beginning of `tokens`, at most `limit`
  // blocks; each gets a reference, the caller's.
  std::vector<BlockId> Match(std::span<const TokenId> tokens, std::size_t limit);

  // All blocks that Match can find, the most recently used first (held ones before evictable ones),
  // but each after its parent. References stay as they are.
  std::vector<SealedBlock> SealedBlocks() const;

  std::int32_t size() const { return static_cast<std::int32_t>(blocks_.size()); }
  std::int32_t block_size() const { return config_.block_size; }
  std::int32_t free() const { return static_cast<std::int32_t>(free_.size()); }
  std::int32_t evictable() const { return evictable_; }
  std::int32_t available() const { return free() + evictable_; }  // what Allocate can give
  std::int32_t held() const { return size() - available(); }

  // 0 for a block that is not held or does not exist.
  std::int32_t references(BlockId block) const;
  bool sealed(BlockId block) const;

 private:
  struct Block {
    std::int32_t references = 0;
    bool sealed = false;
    std::uint64_t hash = 0;       // of the whole prefix; where sealed
    std::uint64_t content = 0;    // unique name of the sealed content, never used again
    std::uint64_t parent = 0;     // content of the block before; 0: none
    std::vector<TokenId> tokens;  // where sealed
    BlockId older = kNoBlock;     // neighbours in the list of evictable blocks
    BlockId newer = kNoBlock;
  };

  explicit BlockPool(const BlockPoolConfig& config);

  Block& at(BlockId block) { return blocks_[static_cast<std::size_t>(block)]; }
  const Block& at(BlockId block) const { return blocks_[static_cast<std::size_t>(block)]; }
  bool Exists(BlockId block) const { return block >= 0 && block < size(); }
  Status CheckHeld(BlockId block) const;
  Status CheckSeal(BlockId block, BlockId parent, std::span<const TokenId> tokens) const;
  // The sealed block with this content, or kNoBlock.
  BlockId Find(std::uint64_t hash, std::uint64_t parent, std::span<const TokenId> tokens) const;
  std::vector<BlockId> RecentlyUsed() const;  // the sealed blocks, the most recently used first
  void Hold(BlockId block);                   // one reference more, from whichever state
  void LetGo(BlockId block);                  // one less
  void Unseal(BlockId block);                 // its content can no longer be found
  void PushNewest(BlockId block);
  void Unlink(BlockId block);

  BlockPoolConfig config_;
  std::vector<Block> blocks_;
  std::vector<BlockId> free_;  // a stack
  std::unordered_multimap<std::uint64_t, BlockId> by_hash_;
  BlockId oldest_ = kNoBlock;  // ends of the list of evictable blocks
  BlockId newest_ = kNoBlock;
  std::int32_t evictable_ = 0;
  std::uint64_t last_content_ = 0;
};

}  // namespace llmr
