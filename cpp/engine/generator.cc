#include "engine/generator.h"

#include <new>
#include <string>
#include <utility>

#include "engine/clock.h"

namespace llmr {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

Generator::Generator(Scheduler scheduler, std::unique_ptr<BatchRunner> runner,
                     std::int32_t vocabulary, std::int64_t max_undelivered,
                     std::shared_ptr<KvCache> cache, const std::atomic<bool>& closing)
    : scheduler_(std::move(scheduler)),
      runner_(std::move(runner)),
      vocabulary_(static_cast<std::size_t>(vocabulary)),
      max_undelivered_(max_undelivered),
      cache_(std::move(cache)),
      closing_(closing) {}

void Generator::Apply(Command command, double now) {
  std::visit(
      Overloaded{
          [&](SubmitCommand& request) { Add(std::move(request), now); },
          [&](const CancelCommand& cancel) { Cancel(cancel.id); },
          [&](const AcknowledgeCommand& a) { Acknowledge(a.id, a.events); },
          [&](const ReleaseCommand& release) { scheduler_.Release(release.id); },
          [&](SnapshotCommand& snapshot) { snapshot.tokens.set_value(TakeSnapshot(snapshot)); },
      },
      command);
}

void Generator::Add(std::unique_ptr<Request> request, double now) {
  const SequenceId id = request->id();
  Request& added = *requests_.emplace(id, std::move(request)).first->second;
  const Status status =
      broken_.has_value() ? Status(*broken_) : scheduler_.Submit(added.TakeSequence(), now);
  if (!status.ok()) {
    Fail(id, status.error());
  }
}

void Generator::Cancel(SequenceId id) {
  if (const auto entry = requests_.find(id); entry != requests_.end()) {
    entry->second->Cancel();
    End(id);
  }
}

void Generator::Acknowledge(SequenceId id, std::int64_t events) {
  if (const auto entry = requests_.find(id); entry != requests_.end()) {
    entry->second->Acknowledge(events);
    scheduler_.SetPaused(id, entry->second->undelivered() >= max_undelivered_);
  }
}

// Blocks that no sequence has are all that changes: what runs goes on as if nothing had happened.
Result<std::int64_t> Generator::TakeSnapshot(const SnapshotCommand& command) {
  if (broken_.has_value()) {
    return *broken_;
  }
  if (cache_ == nullptr) {
    return Error{ErrorCode::kUnimplemented, "KV_SNAPSHOT_UNSUPPORTED",
                 "the KV cache of this engine cannot be saved"};
  }
  if (!scheduler_.config().prefix_cache) {
    return 0;
  }
  try {
    return command.action == SnapshotCommand::Action::kSave
               ? SaveSnapshot(command.file, command.max_bytes, scheduler_.pool(), *cache_, closing_)
               : RestoreSnapshot(command.file, static_cast<std::int32_t>(vocabulary_),
                                 scheduler_.pool(), *cache_, closing_);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY", "no memory for a KV snapshot"};
  }
}

void Generator::Expire(double now) {
  for (const SequenceId id : scheduler_.Expired(now)) {
    requests_.at(id)->Fail("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED",
                           "the deadline passed before the answer was complete");
    End(id);
  }
}

bool Generator::Step() {
  Result<Batch> batch = scheduler_.Schedule();
  if (!batch.ok()) {
    Break(batch.error());
    return false;
  }
  if (batch->items.empty()) {
    return false;
  }
  const double now = SteadySeconds();
  for (const BatchItem& item : batch->items) {
    requests_.at(item.sequence)->Begin(now);
  }
  const Result<std::span<const float>> logits = runner_->Run(*batch);
  if (logits.ok()) {
    Deliver(*batch, *logits);
  } else {
    FailBatch(*batch, logits.error());
  }
  return true;
}

void Generator::Deliver(const Batch& batch, std::span<const float> logits) {
  std::vector<SequenceOutcome> outcomes;
  std::vector<SequenceId> finished;
  for (const BatchItem& item : batch.items) {
    Request& request = *requests_.at(item.sequence);
    const auto outcome = DeliverItem(request, item, logits);
    if (!outcome.ok()) {
      Fail(item.sequence, outcome.error());
      continue;
    }
    outcomes.push_back(*outcome);
    if (outcome->token.has_value()) {
      Emit(request);
    }
    if (outcome->finished) {
      finished.push_back(item.sequence);
    }
  }
  for (const SequenceId id : finished) {
    requests_.erase(id);
  }
  if (const Status status = scheduler_.Commit(outcomes); !status.ok()) {
    Break(status.error());
  }
}

// Scores and samples what one sequence's rows of logits are for.
Result<SequenceOutcome> Generator::DeliverItem(Request& request, const BatchItem& item,
                                               std::span<const float> logits) {
  const Sequence& sequence = *scheduler_.Find(item.sequence);
  const std::int32_t end = item.start_position + item.token_count;
  SequenceOutcome outcome{item.sequence, std::nullopt, false};
  for (std::int32_t row = 0; row < item.output_count; ++row) {
    const auto index = static_cast<std::size_t>(item.first_output + row);
    const auto values = logits.subspan(index * vocabulary_, vocabulary_);
    const std::int32_t next = end - item.output_count + row + 1;  // the position these are for
    if (next < sequence.prompt_tokens) {
      const TokenId token = sequence.tokens[static_cast<std::size_t>(next)];
      LLMR_RETURN_IF_ERROR(request.ScorePrompt(values, next - 1, token));
    } else if (next == sequence.size()) {
      LLMR_ASSIGN_OR_RETURN(outcome.finished, request.Advance(values, next, SteadySeconds()));
      outcome.token = request.last_token();
    }
  }
  return outcome;
}

void Generator::FailBatch(const Batch& batch, const Error& error) {
  if (error.code == ErrorCode::kDataLoss) {
    Break(error);
    return;
  }
  for (const BatchItem& item : batch.items) {
    Fail(item.sequence, error);
  }
}

void Generator::Fail(SequenceId id, const Error& error) {
  requests_.at(id)->Fail(ErrorCodeName(error.code), error.reason, error.message);
  End(id);
}

void Generator::CancelAll() {
  while (!requests_.empty()) {
    Cancel(requests_.begin()->first);
  }
}

void Generator::Break(const Error& error) {
  broken_ = error;
  while (!requests_.empty()) {
    Fail(requests_.begin()->first, error);
  }
}

void Generator::Emit(Request& request) {
  events_.push_back(request.TakeEvent(CachedTokens(request.id())));
  if (request.undelivered() >= max_undelivered_) {
    scheduler_.SetPaused(request.id(), true);
  }
}

void Generator::End(SequenceId id) {
  const auto entry = requests_.find(id);
  Emit(*entry->second);
  scheduler_.Cancel(id);
  requests_.erase(entry);
}

std::int32_t Generator::CachedTokens(SequenceId id) const {
  const Sequence* const sequence = scheduler_.Find(id);
  return sequence == nullptr ? 0 : sequence->cached_tokens;
}

EngineStats Generator::stats() const {
  const SchedulerStats scheduled = scheduler_.stats();
  const BlockPool& pool = scheduler_.pool();
  return {.running = scheduled.running,
          .waiting = scheduled.waiting,
          .blocks_total = pool.size(),
          .blocks_free = pool.available(),
          .blocks_held = pool.held(),
          .computed_tokens = scheduled.computed_tokens,
          .cached_tokens = scheduled.cached_tokens,
          .steps = scheduled.steps,
          .preemptions = scheduled.preemptions};
}

}  // namespace llmr
