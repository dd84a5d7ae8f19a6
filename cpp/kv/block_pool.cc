#include "kv/block_pool.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checksum.h"

namespace llmr {
namespace {

Error Misuse(const std::string& what) {
  return Error{ErrorCode::kInternal, "KV_BLOCK_MISUSE", what};
}

}  // namespace

std::uint64_t HashPrefix(std::uint64_t parent, std::span<const TokenId> tokens) {
  std::uint64_t hash = Mix(parent + 0x9E3779B97F4A7C15ULL);
  for (const TokenId token : tokens) {
    hash = Mix(hash + 0x9E3779B97F4A7C15ULL + static_cast<std::uint32_t>(token));
  }
  return hash;
}

Result<BlockPool> BlockPool::Create(const BlockPoolConfig& config) {
  if (config.blocks < 1) {
    return Error{ErrorCode::kInvalidArgument, "KV_CONFIG",
                 "blocks is " + std::to_string(config.blocks) + "; allowed: at least 1"};
  }
  if (config.block_size < 1) {
    return Error{ErrorCode::kInvalidArgument, "KV_CONFIG",
                 "block_size is " + std::to_string(config.block_size) + "; allowed: at least 1"};
  }
  return BlockPool(config);
}

BlockPool::BlockPool(const BlockPoolConfig& config)
    : config_(config), blocks_(static_cast<std::size_t>(config.blocks)) {
  free_.reserve(blocks_.size());
  for (BlockId block = config.blocks - 1; block >= 0; --block) {
    free_.push_back(block);
  }
}

Result<BlockId> BlockPool::Allocate() {
  if (free_.empty()) {
    if (oldest_ == kNoBlock) {
      return Error{ErrorCode::kResourceExhausted, "KV_POOL_EXHAUSTED",
                   "all " + std::to_string(size()) + " blocks of the KV cache are in use"};
    }
    const BlockId victim = oldest_;
    Unlink(victim);
    Unseal(victim);
    free_.push_back(victim);
  }
  const BlockId block = free_.back();
  free_.pop_back();
  at(block).references = 1;
  return block;
}

Status BlockPool::Retain(BlockId block) {
  LLMR_RETURN_IF_ERROR(CheckHeld(block));
  Hold(block);
  return Ok();
}

// Counts down to check and up again, rather than in a map: it allocates nothing, so that blocks can
// be given back also where memory has run out.
Status BlockPool::Release(std::span<const BlockId> blocks) {
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const BlockId block = blocks[i];
    if (!Exists(block) || at(block).references == 0) {
      const auto counted = blocks.first(i);
      for (const BlockId before : counted) {
        ++at(before).references;
      }
      const bool held = std::ranges::find(counted, block) != counted.end();
      return held ? Misuse("block " + std::to_string(block) +
                           " is released more often than it is held")
                  : CheckHeld(block);
    }
    --at(block).references;
  }
  for (const BlockId block : blocks) {
    ++at(block).references;
  }
  for (std::size_t i = blocks.size(); i > 0; --i) {
    LetGo(blocks[i - 1]);
  }
  return Ok();
}

Result<BlockId> BlockPool::Seal(BlockId block, BlockId parent, std::span<const TokenId> tokens) {
  LLMR_RETURN_IF_ERROR(CheckSeal(block, parent, tokens));
  const std::uint64_t parent_hash = parent == kNoBlock ? 0 : at(parent).hash;
  const std::uint64_t parent_content = parent == kNoBlock ? 0 : at(parent).content;
  const std::uint64_t hash = config_.hash(parent_hash, tokens);
  const BlockId equal = Find(hash, parent_content, tokens);
  if (equal != kNoBlock) {
    Hold(equal);
    LetGo(block);
    return equal;
  }
  Block& sealed = at(block);
  sealed.tokens.assign(tokens.begin(), tokens.end());  // these two may lack memory
  by_hash_.emplace(hash, block);
  sealed.sealed = true;
  sealed.hash = hash;
  sealed.content = ++last_content_;
  sealed.parent = parent_content;
  return block;
}

std::vector<BlockId> BlockPool::Match(std::span<const TokenId> tokens, std::size_t limit) {
  const auto size = static_cast<std::size_t>(block_size());
  std::vector<BlockId> chain;
  std::uint64_t hash = 0;
  std::uint64_t content = 0;
  for (std::size_t begin = 0; chain.size() < limit && tokens.size() - begin >= size;
       begin += size) {
    const auto part = tokens.subspan(begin, size);
    hash = config_.hash(hash, part);
    const BlockId found = Find(hash, content, part);
    if (found == kNoBlock) {
      break;
    }
    Hold(found);
    content = at(found).content;
    chain.push_back(found);
  }
  return chain;
}

std::vector<SealedBlock> BlockPool::SealedBlocks() const {
  std::unordered_map<std::uint64_t, BlockId> by_content;
  const std::vector<BlockId> recent = RecentlyUsed();
  for (const BlockId block : recent) {
    by_content.emplace(at(block).content, block);
  }
  std::vector<SealedBlock> listed;
  std::unordered_map<std::uint64_t, std::int32_t> places{{0, kNoBlock}};  // of contents in the list
  std::vector<BlockId> missing;  // a block and those before it that are not listed yet, backwards
  for (const BlockId block : recent) {
    std::uint64_t content = at(block).content;
    while (!places.contains(content) && by_content.contains(content)) {
      missing.push_back(by_content.at(content));
      content = at(missing.back()).parent;
    }
    const bool complete = places.contains(content);  // else the beginning was evicted
    for (; !missing.empty(); missing.pop_back()) {
      const Block& next = at(missing.back());
      if (complete) {
        places.emplace(next.content, static_cast<std::int32_t>(listed.size()));
        listed.push_back({missing.back(), places.at(next.parent), next.tokens});
      }
    }
  }
  return listed;
}

std::vector<BlockId> BlockPool::RecentlyUsed() const {
  std::vector<BlockId> blocks;
  for (BlockId block = 0; block < size(); ++block) {
    if (at(block).sealed && at(block).references > 0) {
      blocks.push_back(block);
    }
  }
  for (BlockId block = newest_; block != kNoBlock; block = at(block).older) {
    blocks.push_back(block);
  }
  return blocks;
}

std::int32_t BlockPool::references(BlockId block) const {
  return Exists(block) ? at(block).references : 0;
}

bool BlockPool::sealed(BlockId block) const { return Exists(block) && at(block).sealed; }

Status BlockPool::CheckHeld(BlockId block) const {
  if (!Exists(block)) {
    return Misuse("block is " + std::to_string(block) + "; allowed: 0 to " +
                  std::to_string(size() - 1));
  }
  if (at(block).references == 0) {
    return Misuse("block " + std::to_string(block) + " is not held");
  }
  return Ok();
}

Status BlockPool::CheckSeal(BlockId block, BlockId parent, std::span<const TokenId> tokens) const {
  LLMR_RETURN_IF_ERROR(CheckHeld(block));
  if (at(block).sealed) {
    return Misuse("block " + std::to_string(block) + " is sealed already");
  }
  if (tokens.size() != static_cast<std::size_t>(block_size())) {
    return Misuse("a block of " + std::to_string(tokens.size()) +
                  " tokens is sealed; allowed: " + std::to_string(block_size()));
  }
  if (parent == kNoBlock) {
    return Ok();
  }
  LLMR_RETURN_IF_ERROR(CheckHeld(parent));
  if (!at(parent).sealed) {
    return Misuse("parent " + std::to_string(parent) + " is not sealed");
  }
  return Ok();
}

BlockId BlockPool::Find(std::uint64_t hash, std::uint64_t parent,
                        std::span<const TokenId> tokens) const {
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto entry = first; entry != last; ++entry) {
    const Block& block = at(entry->second);
    if (block.parent == parent && std::ranges::equal(block.tokens, tokens)) {
      return entry->second;
    }
  }
  return kNoBlock;
}

void BlockPool::Hold(BlockId block) {
  if (at(block).references++ == 0) {
    Unlink(block);
  }
}

void BlockPool::LetGo(BlockId block) {
  Block& released = at(block);
  if (--released.references > 0) {
    return;
  }
  if (released.sealed) {
    PushNewest(block);
  } else {
    free_.push_back(block);
  }
}

void BlockPool::Unseal(BlockId block) {
  Block& unsealed = at(block);
  const auto [first, last] = by_hash_.equal_range(unsealed.hash);
  by_hash_.erase(
      std::find_if(first, last, [&](const auto& entry) { return entry.second == block; }));
  unsealed = Block{};
}

void BlockPool::PushNewest(BlockId block) {
  at(block).older = newest_;
  at(block).newer = kNoBlock;
  (newest_ == kNoBlock ? oldest_ : at(newest_).newer) = block;
  newest_ = block;
  ++evictable_;
}

void BlockPool::Unlink(BlockId block) {
  Block& linked = at(block);
  (linked.older == kNoBlock ? oldest_ : at(linked.older).newer) = linked.newer;
  (linked.newer == kNoBlock ? newest_ : at(linked.newer).older) = linked.older;
  linked.older = linked.newer = kNoBlock;
  --evictable_;
}

}  // namespace llmr
