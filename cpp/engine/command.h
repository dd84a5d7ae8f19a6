// What other threads ask of the engine's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <variant>

#include "base/ids.h"
#include "engine/request.h"

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
using SubmitCommand = std::unique_ptr<Request>;

using Command = std::variant<SubmitCommand, CancelCommand, AcknowledgeCommand, ReleaseCommand>;

}  // namespace llmr
