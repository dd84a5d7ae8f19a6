// Which sequence has which blocks: admission, growth, preemption, sealing.
#include <algorithm>
#include <span>
#include <utility>

#include "sched/scheduler.h"

namespace llmr {

// Gives a waiting sequence the cached blocks it can use and new ones for the rest of its tokens.
// False where there is no room now. A block for each of those that make progress is left over, so
// that they need not preempt what has just been admitted.
Result<bool> Scheduler::Admit(Sequence& sequence) {
  std::vector<BlockId> blocks;
  if (config_.prefix_cache && !sequence.scoring()) {
    const std::int32_t reusable = (sequence.size() - 1) / pool_.block_size();
    blocks = pool_.Match(sequence.tokens, static_cast<std::size_t>(reusable));
  }
  const auto matched = static_cast<std::int32_t>(blocks.size());
  const std::int32_t missing = BlocksFor(sequence.size()) - matched;
  if (!MakeRoom(missing + Active())) {
    LLMR_RETURN_IF_ERROR(pool_.Release(blocks));
    return false;
  }
  for (std::int32_t i = 0; i < missing; ++i) {
    LLMR_ASSIGN_OR_RETURN(blocks.emplace_back(), pool_.Allocate());
  }
  sequence.blocks = std::move(blocks);
  sequence.state = SequenceState::kRunning;
  sequence.sealed_blocks = matched;
  sequence.computed = matched * pool_.block_size();
  totals_.cached_tokens += static_cast<std::uint64_t>(sequence.computed);
  if (!sequence.admitted) {
    sequence.admitted = true;
    sequence.cached_tokens = sequence.charged = sequence.computed;
  }
  return true;
}

// For admission: takes only from those that make no progress.
bool Scheduler::MakeRoom(std::int32_t blocks) {
  while (pool_.available() < blocks) {
    if (DropHeld()) {
      continue;
    }
    Sequence* const victim = Victim(true);
    if (victim == nullptr) {
      return false;
    }
    Preempt(*victim);
  }
  return true;
}

// Blocks for all tokens of a running sequence; false where it had to be preempted itself.
Result<bool> Scheduler::Grow(Sequence& sequence) {
  while (!HasBlocks(sequence)) {
    if (pool_.available() > 0) {
      LLMR_ASSIGN_OR_RETURN(sequence.blocks.emplace_back(), pool_.Allocate());
      continue;
    }
    if (DropHeld()) {
      continue;
    }
    Sequence* const paused = Victim(true);
    Sequence* const victim = paused != nullptr ? paused : Victim(false);
    if (victim == nullptr) {
      return Error{ErrorCode::kInternal, "SCHEDULER_DEFECT", "no sequence is left to preempt"};
    }
    Preempt(*victim);
    if (victim == &sequence) {
      return false;
    }
  }
  return true;
}

bool Scheduler::DropHeld() {
  if (held_.empty()) {
    return false;
  }
  static_cast<void>(pool_.Release(held_.front().blocks));  // cannot fail: they are held
  held_.pop_front();
  return true;
}

// The least urgent running sequence that is not in the batch: a paused one, or one that is not.
Sequence* Scheduler::Victim(bool paused) {
  Sequence* victim = nullptr;
  for (auto& [id, sequence] : sequences_) {
    if (sequence.state == SequenceState::kRunning && sequence.paused == paused &&
        sequence.in_flight == 0 && (victim == nullptr || victim->urgency() < sequence.urgency())) {
      victim = &sequence;
    }
  }
  return victim;
}

void Scheduler::Preempt(Sequence& sequence) {
  FreeBlocks(sequence);
  sequence.state = SequenceState::kWaiting;
  sequence.computed = 0;
  sequence.sealed_blocks = 0;
  ++totals_.preemptions;
  preempted_ = preempted_ || !sequence.paused;
}

void Scheduler::FreeBlocks(Sequence& sequence) {
  static_cast<void>(pool_.Release(sequence.blocks));  // cannot fail: they are held
  sequence.blocks.clear();
}

std::int32_t Scheduler::BlocksFor(std::int32_t tokens) const {
  return (tokens - 1) / pool_.block_size() + 1;
}

bool Scheduler::HasBlocks(const Sequence& sequence) const {
  return static_cast<std::int32_t>(sequence.blocks.size()) >= BlocksFor(sequence.size());
}

Status Scheduler::SealComputed(Sequence& sequence) {
  const std::int32_t size = pool_.block_size();
  while ((sequence.sealed_blocks + 1) * size <= sequence.computed) {
    const auto index = static_cast<std::size_t>(sequence.sealed_blocks);
    const BlockId parent = index == 0 ? kNoBlock : sequence.blocks[index - 1];
    const auto tokens =
        std::span(sequence.tokens)
            .subspan(index * static_cast<std::size_t>(size), static_cast<std::size_t>(size));
    LLMR_ASSIGN_OR_RETURN(sequence.blocks[index],
                          pool_.Seal(sequence.blocks[index], parent, tokens));
    ++sequence.sealed_blocks;
  }
  return Ok();
}

void Scheduler::Release(SequenceId id) {
  if (const auto entry = sequences_.find(id); entry != sequences_.end()) {
    entry->second.hold = false;
    return;
  }
  const auto held = std::ranges::find(held_, id, &Held::id);
  if (held != held_.end()) {
    static_cast<void>(pool_.Release(held->blocks));  // cannot fail: they are held
    held_.erase(held);
  }
}

}  // namespace llmr
