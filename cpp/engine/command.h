// What other threads ask of the engine's thread.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <variant>

#include "base/ids.h"
#include "base/status.h"
#include "engine/request.h"
#include "kv/kv_snapshot.h"

namespace llmr {

struct CancelCommand {
  SequenceId id;
};
struct AcknowledgeCommand {
  SequenceId id;
  std::int64_t events;
};
struct ReleaseCommand {
  SequenceId id;
};
struct SnapshotCommand {
  enum class Action { kSave, kRestore };
  Action action;
  SnapshotFile file;
  std::int64_t max_bytes;                     // of kSave; 0: no limit
  std::promise<Result<std::int64_t>> tokens;  // that were saved or restored
};
using SubmitCommand = std::unique_ptr<Request>;

using Command =
    std::variant<SubmitCommand, CancelCommand, AcknowledgeCommand, ReleaseCommand, SnapshotCommand>;

}  // namespace llmr
