#include "sched/scheduler.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace llmr {
namespace {

Error Invalid(const std::string& reason, const std::string& message) {
  return Error{ErrorCode::kInvalidArgument, reason, message};
}

Status CheckPositive(const char* field, std::int32_t value) {
  if (value < 1) {
    return Invalid("SCHEDULER_CONFIG",
                   std::string(field) + " is " + std::to_string(value) + "; allowed: at least 1");
  }
  return Ok();
}

// Later ones are preempted first. The id makes the order total.
auto Urgency(const Sequence& sequence) {
  return std::tuple(sequence.effective_deadline, sequence.id);
}

// The first position from which logits are wanted, when the next chunk is computed.
std::int32_t FirstScored(const Sequence& sequence) {
  return std::max(sequence.computed, sequence.scored);
}

bool Scoring(const Sequence& sequence) {
  return sequence.score_prompt && sequence.scored < sequence.prompt_tokens;
}

// Rows of logits for a chunk of so many tokens.
std::int32_t OutputsOf(const Sequence& sequence, std::int32_t tokens) {
  const std::int32_t end = sequence.computed + tokens;
  if (Scoring(sequence)) {
    return std::max(0, end - FirstScored(sequence));
  }
  return end == sequence.size() ? 1 : 0;
}

}  // namespace

struct Scheduler::Room {
  std::int32_t tokens;
  std::int32_t outputs;

  bool none() const { return tokens == 0; }

  // The largest chunk of a sequence that fits; 0: none.
  std::int32_t Chunk(const Sequence& sequence) const {
    const std::int32_t chunk = std::min(sequence.pending(), tokens);
    if (Scoring(sequence)) {
      return std::min(chunk, FirstScored(sequence) + outputs - sequence.computed);
    }
    const bool lacks_output = chunk == sequence.pending() && outputs == 0;
    return lacks_output ? chunk - 1 : chunk;
  }
};

Result<std::int32_t> TokenLimit(std::size_t prompt_tokens, std::int32_t max_tokens,
                                std::int32_t context_length, std::int64_t kv_tokens) {
  if (prompt_tokens == 0) {
    return Invalid("EMPTY_PROMPT", "the prompt has no tokens; allowed: at least 1");
  }
  if (max_tokens < 0) {
    return Invalid("MAX_TOKENS", "max_tokens is " + std::to_string(max_tokens) +
                                     "; allowed: 0 (as far as the context goes) or more");
  }
  if (prompt_tokens >= static_cast<std::size_t>(context_length)) {
    return Invalid("CONTEXT_LENGTH_EXCEEDED",
                   "the prompt has " + std::to_string(prompt_tokens) +
                       " tokens; allowed: at most " + std::to_string(context_length - 1) +
                       ", one less than the context of " + std::to_string(context_length));
  }
  const auto prompt = static_cast<std::int32_t>(prompt_tokens);
  const std::int32_t rest = context_length - prompt;
  // The last token of an answer is never computed, so it needs no room.
  const std::int64_t room = kv_tokens - prompt + 1;
  const std::int64_t wanted = max_tokens == 0 ? 1 : std::min(max_tokens, rest);
  if (wanted > room) {
    return Error{ErrorCode::kResourceExhausted, "KV_TOO_SMALL",
                 "prompt and answer need a KV cache of " + std::to_string(prompt + wanted - 1) +
                     " tokens; the whole cache has " + std::to_string(kv_tokens)};
  }
  return static_cast<std::int32_t>(max_tokens == 0 ? std::min<std::int64_t>(rest, room) : wanted);
}

Result<Scheduler> Scheduler::Create(const SchedulerConfig& config, BlockPool pool) {
  LLMR_RETURN_IF_ERROR(CheckPositive("context_length", config.context_length));
  LLMR_RETURN_IF_ERROR(CheckPositive("max_sequences", config.max_sequences));
  LLMR_RETURN_IF_ERROR(CheckPositive("batch_tokens", config.batch_tokens));
  LLMR_RETURN_IF_ERROR(CheckPositive("max_outputs", config.max_outputs));
  LLMR_RETURN_IF_ERROR(CheckPositive("fairness_window", config.fairness_window));
  if (!(config.horizon > 0)) {
    return Invalid("SCHEDULER_CONFIG",
                   "horizon is " + std::to_string(config.horizon) + "; allowed: above 0 seconds");
  }
  return Scheduler(config, std::move(pool));
}

Scheduler::Scheduler(const SchedulerConfig& config, BlockPool pool)
    : config_(config), pool_(std::move(pool)) {}

Status Scheduler::Submit(SequenceRequest request, double now) {
  const std::int64_t kv_tokens = std::int64_t{pool_.size()} * pool_.block_size();
  LLMR_ASSIGN_OR_RETURN(
      const std::int32_t max_tokens,
      TokenLimit(request.prompt.size(), request.max_tokens, config_.context_length, kv_tokens));
  Sequence sequence;
  sequence.id = request.id;
  sequence.caller = request.caller;
  sequence.deadline = request.deadline;
  sequence.effective_deadline = std::min(request.deadline, now + config_.horizon);
  sequence.hold = request.hold;
  sequence.score_prompt = request.score_prompt;
  sequence.prompt_tokens = static_cast<std::int32_t>(request.prompt.size());
  sequence.max_tokens = max_tokens;
  sequence.tokens = std::move(request.prompt);
  if (!sequences_.try_emplace(request.id, std::move(sequence)).second) {
    return Invalid("DUPLICATE_SEQUENCE",
                   "sequence " + std::to_string(request.id) + " exists; allowed: unused ids");
  }
  return Ok();
}

Result<Batch> Scheduler::Schedule() {
  for (auto& [id, sequence] : sequences_) {
    sequence.in_flight = 0;
  }
  preempted_ = false;
  ++step_;
  Batch batch;
  Room room{config_.batch_tokens, config_.max_outputs};
  LLMR_RETURN_IF_ERROR(ScheduleDecodes(batch, room));
  LLMR_RETURN_IF_ERROR(SchedulePrefills(batch, room));
  return batch;
}

Status Scheduler::ScheduleDecodes(Batch& batch, Room& room) {
  for (Sequence* const sequence : ChooseDecodes(room)) {
    if (sequence->state != SequenceState::kRunning) {
      continue;  // preempted meanwhile, by a more urgent one
    }
    LLMR_ASSIGN_OR_RETURN(const bool grown, Grow(*sequence));
    if (grown) {
      AddItem(batch, room, *sequence, 1);
    }
  }
  return Ok();
}

// Those with one token to compute; where they are too many, the ones that waited longest. Most
// urgent first, so that preemption hits the ones that are not in the batch yet.
std::vector<Sequence*> Scheduler::ChooseDecodes(const Room& room) {
  std::vector<Sequence*> chosen;
  for (auto& [id, sequence] : sequences_) {
    if (sequence.state == SequenceState::kRunning && !sequence.paused && sequence.pending() == 1 &&
        OutputsOf(sequence, 1) <= room.outputs) {
      chosen.push_back(&sequence);
    }
  }
  const auto most = static_cast<std::size_t>(std::min(room.tokens, room.outputs));
  if (chosen.size() > most) {
    std::ranges::sort(chosen, {},
                      [](const Sequence* s) { return std::tuple(s->last_step, s->id); });
    chosen.resize(most);
  }
  std::ranges::sort(chosen, {}, [](const Sequence* s) { return Urgency(*s); });
  return chosen;
}

Status Scheduler::SchedulePrefills(Batch& batch, Room& room) {
  NoteBacklog();
  bool admit = !preempted_;  // what was just preempted would come straight back
  while (!room.none()) {
    Sequence* const sequence = NextPrefill(room, admit);
    if (sequence == nullptr) {
      break;
    }
    if (sequence->state == SequenceState::kWaiting) {
      LLMR_ASSIGN_OR_RETURN(admit, Admit(*sequence));
      if (!admit) {
        continue;  // it is first in line: none behind it may take the memory it waits for
      }
    }
    const std::int32_t chunk = room.Chunk(*sequence);
    if (chunk < 1) {
      break;
    }
    AddItem(batch, room, *sequence, chunk);
  }
  return Ok();
}

Sequence* Scheduler::NextPrefill(const Room& room, bool admit) {
  const bool slot = admit && Active() < config_.max_sequences;
  Sequence* next = nullptr;
  for (auto& [id, sequence] : sequences_) {
    const bool able = sequence.state == SequenceState::kWaiting
                          ? slot
                          : room.Chunk(sequence) >= 1 && HasBlocks(sequence);
    if (!able || sequence.paused || sequence.in_flight > 0) {
      continue;
    }
    if (next == nullptr || Ahead(sequence, *next)) {
      next = &sequence;
    }
  }
  return next;
}

bool Scheduler::Ahead(const Sequence& left, const Sequence& right) const {
  const auto excess = [&](const Sequence& sequence) {
    const std::uint64_t lead = fair_share_.Lead(sequence.caller);
    return lead -
           std::min<std::uint64_t>(lead, static_cast<std::uint64_t>(config_.fairness_window));
  };
  return std::tuple_cat(std::tuple(excess(left)), Urgency(left)) <
         std::tuple_cat(std::tuple(excess(right)), Urgency(right));
}

void Scheduler::NoteBacklog() {
  std::set<std::uint64_t> callers;
  for (const auto& [id, sequence] : sequences_) {
    const bool waiting = sequence.state == SequenceState::kWaiting;
    if (!sequence.paused && sequence.in_flight == 0 && (waiting || sequence.pending() > 1)) {
      callers.insert(sequence.caller);
    }
  }
  fair_share_.SetBacklogged(callers);
}

// Gives a waiting sequence the cached blocks it can use and new ones for the rest of its tokens.
// False where there is no room now. A block for each of those that make progress is left over, so
// that they need not preempt what has just been admitted.
Result<bool> Scheduler::Admit(Sequence& sequence) {
  std::vector<BlockId> blocks;
  if (config_.prefix_cache && !Scoring(sequence)) {
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

void Scheduler::AddItem(Batch& batch, Room& room, Sequence& sequence, std::int32_t tokens) {
  BatchItem item;
  item.sequence = sequence.id;
  item.first_token = static_cast<std::int32_t>(batch.tokens.size());
  item.token_count = tokens;
  item.start_position = sequence.computed;
  item.first_output = batch.output_count();
  item.output_count = OutputsOf(sequence, tokens);
  item.blocks = sequence.blocks;
  const auto first = sequence.tokens.begin() + sequence.computed;
  batch.tokens.insert(batch.tokens.end(), first, first + tokens);
  room.tokens -= tokens;
  room.outputs -= item.output_count;
  batch.items.push_back(std::move(item));

  sequence.in_flight = tokens;
  sequence.last_step = step_;
  const std::int32_t end = sequence.computed + tokens;
  fair_share_.Charge(sequence.caller, end - sequence.charged);
  sequence.charged = std::max(sequence.charged, end);
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
        sequence.in_flight == 0 && (victim == nullptr || Urgency(*victim) < Urgency(sequence))) {
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

std::int32_t Scheduler::Active() const {
  return static_cast<std::int32_t>(std::ranges::count_if(sequences_, [](const auto& entry) {
    return entry.second.state == SequenceState::kRunning && !entry.second.paused;
  }));
}

std::int32_t Scheduler::BlocksFor(std::int32_t tokens) const {
  return (tokens - 1) / pool_.block_size() + 1;
}

bool Scheduler::HasBlocks(const Sequence& sequence) const {
  return static_cast<std::int32_t>(sequence.blocks.size()) >= BlocksFor(sequence.size());
}

Status Scheduler::Commit(std::span<const SequenceOutcome> outcomes) {
  ++totals_.steps;
  for (const SequenceOutcome& outcome : outcomes) {
    const auto entry = sequences_.find(outcome.sequence);
    if (entry == sequences_.end() || entry->second.in_flight == 0) {
      continue;
    }
    Sequence& sequence = entry->second;
    LLMR_RETURN_IF_ERROR(CheckOutcome(sequence, outcome));
    LLMR_RETURN_IF_ERROR(Advance(sequence));
    if (outcome.token.has_value()) {
      sequence.tokens.push_back(*outcome.token);
    }
    if (outcome.finished) {
      Finish(outcome.sequence);
    }
  }
  return Ok();
}

Status Scheduler::CheckOutcome(const Sequence& sequence, const SequenceOutcome& outcome) const {
  const std::string name = "sequence " + std::to_string(sequence.id);
  const bool complete = sequence.pending() == sequence.in_flight;
  if (outcome.token.has_value() && !complete) {
    return Invalid("BAD_OUTCOME", name + " got a token before its prompt was computed");
  }
  if (!outcome.token.has_value() && complete && !outcome.finished) {
    return Invalid("BAD_OUTCOME", name + " got no token though all of it is computed");
  }
  if (outcome.token.has_value() && !outcome.finished &&
      sequence.generated() + 1 >= sequence.max_tokens) {
    return Invalid("BAD_OUTCOME",
                   name + " goes on beyond its " + std::to_string(sequence.max_tokens) + " tokens");
  }
  return Ok();
}

Status Scheduler::Advance(Sequence& sequence) {
  totals_.computed_tokens += static_cast<std::uint64_t>(sequence.in_flight);
  sequence.computed += sequence.in_flight;
  sequence.in_flight = 0;
  sequence.scored = std::max(sequence.scored, std::min(sequence.computed, sequence.prompt_tokens));
  return config_.prefix_cache ? SealComputed(sequence) : Ok();
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

void Scheduler::Finish(SequenceId id) {
  Sequence& sequence = sequences_.at(id);
  if (sequence.hold && sequence.sealed_blocks > 0) {
    const auto first = sequence.blocks.begin();
    held_.push_back(Held{id, {first, first + sequence.sealed_blocks}});
    sequence.blocks.erase(first, first + sequence.sealed_blocks);
  }
  FreeBlocks(sequence);
  sequences_.erase(id);
}

void Scheduler::Cancel(SequenceId id) {
  if (const auto entry = sequences_.find(id); entry != sequences_.end()) {
    FreeBlocks(entry->second);
    sequences_.erase(entry);
  }
}

void Scheduler::SetPaused(SequenceId id, bool paused) {
  if (const auto entry = sequences_.find(id); entry != sequences_.end()) {
    entry->second.paused = paused;
  }
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

std::vector<SequenceId> Scheduler::Expired(double now) const {
  std::vector<SequenceId> expired;
  for (const auto& [id, sequence] : sequences_) {
    if (sequence.deadline <= now) {
      expired.push_back(id);
    }
  }
  return expired;
}

double Scheduler::NextDeadline() const {
  double next = std::numeric_limits<double>::infinity();
  for (const auto& [id, sequence] : sequences_) {
    next = std::min(next, sequence.deadline);
  }
  return next;
}

const Sequence* Scheduler::Find(SequenceId id) const {
  const auto entry = sequences_.find(id);
  return entry == sequences_.end() ? nullptr : &entry->second;
}

SchedulerStats Scheduler::stats() const {
  SchedulerStats stats = totals_;
  for (const auto& [id, sequence] : sequences_) {
    ++(sequence.state == SequenceState::kRunning ? stats.running : stats.waiting);
  }
  stats.held = static_cast<std::int32_t>(held_.size());
  return stats;
}

}  // namespace llmr
