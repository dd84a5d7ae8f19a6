// Events on their way out of the engine, with a descriptor that is readable while there are some.
#pragma once

#include <mutex>
#include <vector>

#include "base/wakeup.h"
#include "engine/event.h"

namespace llmr {

// Thread-safe. The descriptor is written only when the queue goes from empty to non-empty.
class EventQueue {
 public:
  explicit EventQueue(Wakeup wakeup) : wakeup_(std::move(wakeup)) {}

  int fd() const { return wakeup_.fd(); }

  void Push(std::vector<Event> events);

  // All events, oldest first. Never blocks.
  std::vector<Event> Drain();

 private:
  const Wakeup wakeup_;
  std::mutex mutex_;
  std::vector<Event> events_;  // guarded by mutex_
};

}  // namespace llmr
