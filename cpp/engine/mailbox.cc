#include "engine/mailbox.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "engine/clock.h"

namespace llmr {

bool Mailbox::Push(Command command) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      return false;
    }
    commands_.push_back(std::move(command));
  }
  changed_.notify_one();
  return true;
}

void Mailbox::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_one();
}

std::optional<std::vector<Command>> Mailbox::Take(double deadline) {
  std::unique_lock lock(mutex_);
  const auto awake = [&] { return closed_ || !commands_.empty(); };
  const double seconds = deadline - SteadySeconds();
  constexpr double kLong = 3600.0 * 24 * 365;  // what a duration can hold
  if (seconds > 0) {
    changed_.wait_for(lock, std::chrono::duration<double>(std::min(seconds, kLong)), awake);
  }
  if (closed_ && commands_.empty()) {
    return std::nullopt;
  }
  return std::exchange(commands_, {});
}

}  // namespace llmr
