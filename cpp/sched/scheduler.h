// Decides what the model computes next. Pure bookkeeping: no ggml, no threads, no clock.
//
//   Submit … → Schedule → (run the batch, sample) → Commit → Schedule → …
//
// A step decodes every running sequence first (one token each), then fills what is left of
// batch_tokens with chunks of prompts. Prompts go by effective deadline (the earlier of the given
// deadline and arrival + horizon, so that none starves), but a caller that is more than
// fairness_window tokens ahead of another that waits comes after it.
//
// A sequence gets the blocks for all of its tokens when it is admitted and one more whenever it
// grows over a block's end. Where none is left: cached blocks are evicted (by the pool), then
// held conversations are dropped, least recent first, then paused sequences are preempted, then
// the running one with the latest effective deadline. Preemption frees the blocks and computes
// them again later: nothing is lost and the answer is the same. Admission never preempts a
// sequence that is making progress.
//
// With the prefix cache, full blocks are sealed as they are computed, and an admitted sequence
// starts with those that match; the last token of a prompt is always computed, because its logits
// are needed.
#pragma once

#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "kv/block_pool.h"
#include "sched/batch.h"
#include "sched/fair_share.h"
#include "sched/sequence.h"
#include "sched/token_limit.h"

namespace llmr {

struct SchedulerConfig {
  std::int32_t context_length = 0;  // tokens of prompt and answer together
  std::int32_t max_sequences = 10;  // that make progress at once; paused ones do not count
  std::int32_t batch_tokens = 512;  // most tokens in a step
  std::int32_t max_outputs = 512;   // most rows of logits in a step
  bool prefix_cache = true;
  double horizon = 60.0;                // seconds: the deadline of who gives none
  std::int32_t fairness_window = 4096;  // tokens
};

// What became of a sequence's share of a batch. No token where its prompt is not complete yet.
struct SequenceOutcome {
  SequenceId sequence = 0;
  std::optional<TokenId> token;
  bool finished = false;
};

struct SchedulerStats {
  std::int32_t running = 0;
  std::int32_t waiting = 0;
  std::int32_t held = 0;              // finished conversations that keep their blocks
  std::uint64_t computed_tokens = 0;  // run through the model, ever
  std::uint64_t cached_tokens = 0;    // taken from the cache instead, ever
  std::uint64_t steps = 0;            // batches committed
  std::uint64_t preemptions = 0;
};

// Not thread-safe: owned by the engine's thread. Owns the pool.
class Scheduler {
 public:
  // Errors: INVALID_ARGUMENT / SCHEDULER_CONFIG naming the field.
  static Result<Scheduler> Create(const SchedulerConfig& config, BlockPool pool);

  // Queues a request that arrives at `now` (seconds on any monotonic clock). Errors: those of
  // TokenLimit; INVALID_ARGUMENT / DUPLICATE_SEQUENCE.
  Status Submit(SequenceRequest request, double now);

  // The next step; empty where nothing can be done. Each sequence occurs at most once. What the
  // step before computed without a Commit is forgotten and scheduled again.
  // Errors: INTERNAL, a defect.
  Result<Batch> Schedule();

  // Advances what the last batch computed. Sequences without an outcome stay where they were;
  // outcomes of sequences that are gone are ignored. Errors: INVALID_ARGUMENT / BAD_OUTCOME for a
  // token where none was due, none where one was, or one beyond max_tokens that does not finish.
  Status Commit(std::span<const SequenceOutcome> outcomes);

  // Forgets a sequence and frees its blocks at once. Unknown ids are ignored.
  void Cancel(SequenceId id);

  // A paused sequence keeps its blocks while they are not needed, but takes no step. Unknown ids
  // are ignored.
  void SetPaused(SequenceId id, bool paused);

  // Lets go of the blocks that a finished sequence holds, or of the wish to hold them. Unknown
  // ids are ignored.
  void Release(SequenceId id);

  // Sequences whose given deadline is at or before `now`.
  std::vector<SequenceId> Expired(double now) const;
  double NextDeadline() const;  // infinity where none was given

  // nullptr where the sequence is unknown or finished. Valid until the next call of a method that
  // is not const.
  const Sequence* Find(SequenceId id) const;

  SchedulerStats stats() const;
  const BlockPool& pool() const { return pool_; }
  BlockPool& pool() { return pool_; }  // for who adds blocks to it that no sequence has
  const SchedulerConfig& config() const { return config_; }

 private:
  struct Room;  // what is left of a step's limits

  Scheduler(const SchedulerConfig& config, BlockPool pool);

  Status ScheduleDecodes(Batch& batch, Room& room);
  Status SchedulePrefills(Batch& batch, Room& room);
  std::vector<Sequence*> ChooseDecodes(const Room& room);
  Sequence* NextPrefill(const Room& room, bool admit);
  Result<bool> Admit(Sequence& sequence);
  bool MakeRoom(std::int32_t blocks);
  Result<bool> Grow(Sequence& sequence);
  void AddItem(Batch& batch, Room& room, Sequence& sequence, std::int32_t tokens);

  bool DropHeld();
  Sequence* Victim(bool paused);
  void Preempt(Sequence& sequence);
  void FreeBlocks(Sequence& sequence);
  bool Ahead(const Sequence& left, const Sequence& right) const;
  void NoteBacklog();
  std::int32_t Active() const;
  std::int32_t BlocksFor(std::int32_t tokens) const;
  bool HasBlocks(const Sequence& sequence) const;  // for all of its tokens

  Status CheckOutcome(const Sequence& sequence, const SequenceOutcome& outcome) const;
  Status Advance(Sequence& sequence);
  Status SealComputed(Sequence& sequence);
  void Finish(SequenceId id);

  SchedulerConfig config_;
  BlockPool pool_;
  FairShare fair_share_;
  std::map<SequenceId, Sequence> sequences_;
  struct Held {
    SequenceId id;
    std::vector<BlockId> blocks;
  };
  std::list<Held> held_;  // least recent first
  SchedulerStats totals_;
  std::uint64_t step_ = 0;
  bool preempted_ = false;  // in the step being scheduled
};

}  // namespace llmr
