// Commands on their way to the engine's thread, which sleeps here when it has nothing to do.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/command.h"

namespace llmr {

// Thread-safe; one thread takes.
class Mailbox {
 public:
  // False, and nothing happens, once closed.
  bool Push(Command command);

  // No command comes in any more, and Take says so once the rest is taken. Idempotent.
  void Close();

  // All commands, oldest first; waits for one until `deadline` (on the clock of SteadySeconds; any
  // past time: does not wait). nullopt once closed and empty.
  std::optional<std::vector<Command>> Take(double deadline);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Command> commands_;  // guarded by mutex_
  bool closed_ = false;            // guarded by mutex_
};

}  // namespace llmr
