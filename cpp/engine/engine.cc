#include "engine/engine.h"

#include <exception>
#include <future>
#include <system_error>
#include <utility>
#include <variant>

#include "engine/clock.h"

namespace llmr {
namespace {

Error Closed() {
  return Error{ErrorCode::kFailedPrecondition, "ENGINE_CLOSED", "the engine is closed"};
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Start(EngineParts parts) {
  LLMR_ASSIGN_OR_RETURN(Wakeup wakeup, Wakeup::Create());
  std::unique_ptr<Engine> engine(new Engine(std::move(parts), std::move(wakeup)));
  try {
    engine->thread_ = std::thread(&Engine::Loop, engine.get());
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kResourceExhausted, "NO_THREAD",
                 std::string("cannot start the engine's thread: ") + error.what()};
  }
  return engine;
}

Engine::Engine(EngineParts parts, Wakeup wakeup)
    : limits_{parts.scheduler.config().context_length,
              std::int64_t{parts.scheduler.pool().size()} * parts.scheduler.pool().block_size()},
      model_(std::move(parts.model)),
      memory_(parts.memory),
      vocabulary_(std::make_shared<const Vocabulary>(std::move(parts.vocabulary))),
      events_(std::move(wakeup)),
      generator_(std::move(parts.scheduler), std::move(parts.runner), vocabulary_->size(),
                 parts.max_undelivered, std::move(parts.cache), closing_),
      published_(generator_.stats()) {}

Engine::~Engine() { Close(); }

Result<SequenceId> Engine::Submit(Submission submission) {
  LLMR_RETURN_IF_ERROR(CheckOpen());
  LLMR_RETURN_IF_ERROR(Validate(submission, vocabulary_->size()));
  LLMR_ASSIGN_OR_RETURN(const std::int32_t max_tokens,
                        TokenLimit(submission.tokens.size(), submission.max_tokens,
                                   limits_.context_length, limits_.kv_tokens));
  const SequenceId id = ++last_id_;
  auto request = std::make_unique<Request>(id, std::move(submission), max_tokens, vocabulary_,
                                           SteadySeconds());
  {
    const std::lock_guard lock(published_mutex_);
    ++on_their_way_;
  }
  if (!mailbox_.Push(std::move(request))) {
    const std::lock_guard lock(published_mutex_);
    --on_their_way_;
    return Closed();
  }
  return id;
}

Status Engine::CheckOpen() const {
  const std::lock_guard lock(published_mutex_);
  return broken_.has_value() ? Status(*broken_) : Ok();
}

// A command to a closed engine has nothing left to act on.
void Engine::Cancel(SequenceId id) { static_cast<void>(mailbox_.Push(CancelCommand{id})); }

void Engine::Acknowledge(SequenceId id, std::int64_t events) {
  static_cast<void>(mailbox_.Push(AcknowledgeCommand{id, events}));
}

void Engine::Release(SequenceId id) { static_cast<void>(mailbox_.Push(ReleaseCommand{id})); }

Result<std::int64_t> Engine::SaveKv(SnapshotFile file, std::int64_t max_bytes) {
  return TakeSnapshot(SnapshotCommand::Action::kSave, std::move(file), max_bytes);
}

Result<std::int64_t> Engine::RestoreKv(SnapshotFile file) {
  return TakeSnapshot(SnapshotCommand::Action::kRestore, std::move(file), 0);
}

Result<std::int64_t> Engine::TakeSnapshot(SnapshotCommand::Action action, SnapshotFile file,
                                          std::int64_t max_bytes) {
  SnapshotCommand command{action, std::move(file), max_bytes, {}};
  std::future<Result<std::int64_t>> tokens = command.tokens.get_future();
  if (!mailbox_.Push(std::move(command))) {
    return Closed();
  }
  try {
    return tokens.get();
  } catch (const std::future_error&) {  // dropped unanswered, by a round that failed
    return Error{ErrorCode::kInternal, "ENGINE_FAILED", "the engine failed before the snapshot"};
  }
}

EngineStats Engine::stats() const {
  const std::lock_guard lock(published_mutex_);
  EngineStats stats = published_;
  stats.waiting += on_their_way_;
  return stats;
}

void Engine::Close() {
  closing_ = true;
  mailbox_.Close();
  const std::lock_guard lock(close_mutex_);
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Engine::Loop() {
  bool busy = false;
  while (auto commands = mailbox_.Take(busy ? 0 : generator_.NextDeadline())) {
    try {
      Round(*std::move(commands), &busy);
    } catch (const std::exception& error) {  // memory ran out, or a library's defect
      generator_.Break({ErrorCode::kInternal, "ENGINE_FAILED", error.what()});
      busy = false;
    }
    Publish();
  }
  generator_.CancelAll();
  Publish();
}

void Engine::Round(std::vector<Command> commands, bool* busy) {
  const double now = SteadySeconds();
  for (Command& command : commands) {
    arrived_ += std::holds_alternative<SubmitCommand>(command) ? 1 : 0;
    generator_.Apply(std::move(command), now);
  }
  generator_.Expire(now);
  *busy = generator_.Step();
}

// Statistics first: who has seen an event finds its consequences in them.
void Engine::Publish() {
  {
    const std::lock_guard lock(published_mutex_);
    published_ = generator_.stats();
    broken_ = generator_.broken();
    on_their_way_ -= std::exchange(arrived_, 0);
  }
  events_.Push(generator_.TakeEvents());
}

}  // namespace llmr
