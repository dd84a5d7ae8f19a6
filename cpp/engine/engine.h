// The engine: requests in, events out, one thread that computes.
//
// Three owners. The caller's threads validate a submission, put it into the mailbox and drain the
// event queue. The engine's thread owns the generator, and with it the scheduler, the sequences and
// the model; it never calls back. Between them stand the mailbox, the event queue and the published
// statistics, each with a mutex of its own that is held for a moment only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/status.h"
#include "engine/batch_runner.h"
#include "engine/event_queue.h"
#include "engine/generator.h"
#include "engine/mailbox.h"
#include "engine/memory_estimate.h"
#include "engine/submission.h"
#include "engine/vocabulary.h"
#include "sched/scheduler.h"

namespace llmr {

struct ModelInfo {
  std::string architecture;
  std::int64_t parameters = 0;   // elements of all weights
  std::string kv_identity = {};  // see Engine::kv_identity
};

struct EngineParts {
  std::unique_ptr<BatchRunner> runner;
  Scheduler scheduler;
  Vocabulary vocabulary;
  std::int32_t max_undelivered = 16;  // events not acknowledged, at which a request pauses
  ModelInfo model;
  std::shared_ptr<KvCache> cache = nullptr;  // the runner's, for snapshots; null: there are none
  MemoryEstimate memory;                     // what the parts take
};

// Thread-safe.
class Engine {
 public:
  // Starts the thread. Errors: RESOURCE_EXHAUSTED / NO_FILE_DESCRIPTOR, NO_THREAD.
  static Result<std::unique_ptr<Engine>> Start(EngineParts parts);

  ~Engine();  // closes
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Readable while Drain has something; level-triggered. Valid as long as the engine.
  int fd() const { return events_.fd(); }
  std::int32_t context_length() const { return limits_.context_length; }
  std::int32_t vocabulary_size() const { return vocabulary_->size(); }
  const ModelInfo& model() const { return model_; }
  // All that the numbers in the KV cache depend on beside the model's file and this build, as text.
  const std::string& kv_identity() const { return model_.kv_identity; }
  // What was allocated. Where layers attend by ggml, intermediate results come on top later.
  const MemoryEstimate& memory() const { return memory_; }

  // Queues a request; its id, from 1. Errors: those of Validate(Submission) and TokenLimit;
  // FAILED_PRECONDITION / ENGINE_CLOSED; the error that broke the engine.
  Result<SequenceId> Submit(Submission submission);

  // Ends a request with a "cancelled" event within one step. Unknown and finished ids are ignored.
  void Cancel(SequenceId id);
  // The consumer has taken so many events of the request. Unknown ids are ignored.
  void Acknowledge(SequenceId id, std::int64_t events);
  // Lets go of the KV that a submission with `hold` keeps. Unknown ids are ignored.
  void Release(SequenceId id);

  // Write the cached prefixes to a file, and bring them back (kv/kv_snapshot.h; `file.key` should
  // hold kv_identity). Wait until the engine's thread has done it between two steps, which no
  // request makes meanwhile; Close ends it. Return a number of tokens. Errors: those of
  // SaveSnapshot and RestoreSnapshot; FAILED_PRECONDITION / ENGINE_CLOSED; the error that broke the
  // engine; INTERNAL / ENGINE_FAILED where it breaks meanwhile.
  Result<std::int64_t> SaveKv(SnapshotFile file, std::int64_t max_bytes);
  Result<std::int64_t> RestoreKv(SnapshotFile file);

  // All events since the last call, oldest first. Never blocks.
  std::vector<Event> Drain() { return events_.Drain(); }

  // At least as new as the events drained before.
  EngineStats stats() const;

  // Cancels all requests (their events can be drained afterwards) and joins the thread.
  // Idempotent.
  void Close();

 private:
  struct Limits {
    std::int32_t context_length;
    std::int64_t kv_tokens;
  };

  Engine(EngineParts parts, Wakeup wakeup);

  Status CheckOpen() const;
  Result<std::int64_t> TakeSnapshot(SnapshotCommand::Action action, SnapshotFile file,
                                    std::int64_t max_bytes);
  void Loop();
  void Round(std::vector<Command> commands, bool* busy);
  void Publish();

  const Limits limits_;
  const ModelInfo model_;
  const MemoryEstimate memory_;
  const std::shared_ptr<const Vocabulary> vocabulary_;
  std::atomic<SequenceId> last_id_ = 0;
  std::atomic<bool> closing_ = false;

  EventQueue events_;
  Mailbox mailbox_;
  Generator generator_;  // the engine's thread's, once it runs

  mutable std::mutex published_mutex_;
  EngineStats published_;  // guarded by published_mutex_, as are the next two
  std::optional<Error> broken_;
  std::int32_t on_their_way_ = 0;  // submitted, but not in published_ yet

  std::mutex close_mutex_;
  std::int32_t arrived_ = 0;  // submissions taken since the last Publish; the engine's thread's
  std::thread thread_;        // guarded by close_mutex_; last, so that all else outlives it
};

}  // namespace llmr
