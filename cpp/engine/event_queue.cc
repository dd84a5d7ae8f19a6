#include "engine/event_queue.h"

#include <iterator>
#include <utility>

namespace llmr {

void EventQueue::Push(std::vector<Event> events) {
  if (events.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const bool was_empty = events_.empty();
  events_.insert(events_.end(), std::make_move_iterator(events.begin()),
                 std::make_move_iterator(events.end()));
  if (was_empty) {
    wakeup_.Signal();
  }
}

std::vector<Event> EventQueue::Drain() {
  // First the descriptor, then the queue: what comes in between is taken and leaves a wake-up too
  // many; the other way round it could be left behind without one.
  wakeup_.Drain();
  const std::lock_guard lock(mutex_);
  return std::exchange(events_, {});
}

}  // namespace llmr
