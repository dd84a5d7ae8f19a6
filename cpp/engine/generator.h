// Everything that the engine's thread owns: requests, scheduler, model; one step at a time.
//
//   commands → Schedule → Run → sample, decode → Commit → events
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/batch_runner.h"
#include "engine/command.h"
#include "engine/event.h"
#include "engine/request.h"
#include "kv/kv_cache.h"
#include "sched/scheduler.h"

namespace llmr {

// Not thread-safe: owned by one thread.
class Generator {
 public:
  // A request with `max_undelivered` events that were not acknowledged pauses until some are.
  // `cache`: what the runner computes with, for snapshots; may be null. `closing` ends them.
  Generator(Scheduler scheduler, std::unique_ptr<BatchRunner> runner, std::int32_t vocabulary,
            std::int64_t max_undelivered, std::shared_ptr<KvCache> cache,
            const std::atomic<bool>& closing);

  void Apply(Command command, double now);

  // Ends the requests whose deadline has passed.
  void Expire(double now);

  // Computes and samples one batch. False where there was nothing to compute. Errors end the
  // requests that they concern, not the generator.
  bool Step();

  void CancelAll();
  // Ends all requests and refuses new ones: the state cannot be trusted any more.
  void Break(const Error& error);
  const std::optional<Error>& broken() const { return broken_; }

  double NextDeadline() const { return scheduler_.NextDeadline(); }
  std::vector<Event> TakeEvents() { return std::exchange(events_, {}); }
  EngineStats stats() const;

 private:
  void Add(std::unique_ptr<Request> request, double now);
  void Cancel(SequenceId id);
  void Acknowledge(SequenceId id, std::int64_t events);
  Result<std::int64_t> TakeSnapshot(const SnapshotCommand& command);

  void Deliver(const Batch& batch, std::span<const float> logits);
  Result<SequenceOutcome> DeliverItem(Request& request, const BatchItem& item,
                                      std::span<const float> logits);
  void FailBatch(const Batch& batch, const Error& error);
  void Fail(SequenceId id, const Error& error);
  void Emit(Request& request);
  void End(SequenceId id);  // emits the last event and forgets the request
  std::int32_t CachedTokens(SequenceId id) const;

  Scheduler scheduler_;
  std::unique_ptr<BatchRunner> runner_;
  const std::size_t vocabulary_;
  const std::int64_t max_undelivered_;
  const std::shared_ptr<KvCache> cache_;
  const std::atomic<bool>& closing_;
  std::map<SequenceId, std::unique_ptr<Request>> requests_;
  std::vector<Event> events_;
  std::optional<Error> broken_;
};

}  // namespace llmr
