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

}  // namespace

struct Scheduler::Room {
  std::int32_t tokens;
  std::int32_t outputs;

  bool none() const { return tokens == 0; }

  // The largest chunk of a sequence that fits; 0: none.
  std::int32_t Chunk(const Sequence& sequence) const {
    const std::int32_t chunk = std::min(sequence.pending(), tokens);
    if (sequence.scoring()) {
      return std::min(chunk, sequence.first_scored() + outputs - sequence.computed);
    }
    const bool lacks_output = chunk == sequence.pending() && outputs == 0;
    return lacks_output ? chunk - 1 : chunk;
  }
};

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
        sequence.outputs_of(1) <= room.outputs) {
      chosen.push_back(&sequence);
    }
  }
  const auto most = static_cast<std::size_t>(std::min(room.tokens, room.outputs));
  if (chosen.size() > most) {
    std::ranges::sort(chosen, {},
                      [](const Sequence* s) { return std::tuple(s->last_step, s->id); });
    chosen.resize(most);
  }
  std::ranges::sort(chosen, {}, [](const Sequence* s) { return s->urgency(); });
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
  return std::tuple_cat(std::tuple(excess(left)), left.urgency()) <
         std::tuple_cat(std::tuple(excess(right)), right.urgency());
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

void Scheduler::AddItem(Batch& batch, Room& room, Sequence& sequence, std::int32_t tokens) {
  BatchItem item;
  item.sequence = sequence.id;
  item.first_token = static_cast<std::int32_t>(batch.tokens.size());
  item.token_count = tokens;
  item.start_position = sequence.computed;
  item.first_output = batch.output_count();
  item.output_count = sequence.outputs_of(tokens);
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

std::int32_t Scheduler::Active() const {
  return static_cast<std::int32_t>(std::ranges::count_if(sequences_, [](const auto& entry) {
    return entry.second.state == SequenceState::kRunning && !entry.second.paused;
  }));
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
