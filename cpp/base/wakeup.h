// A file descriptor that becomes readable: how a thread without the GIL wakes an event loop.
#pragma once

#include "base/status.h"

namespace llmr {

// An eventfd; a socket pair where there is none. Owns its descriptors. Movable, not copyable.
// Thread-safe: Signal() and Drain() may be called from any thread. Drain before taking what was
// announced: what is announced afterwards makes the descriptor readable again, so nothing is
// missed.
class Wakeup {
 public:
  // Errors: RESOURCE_EXHAUSTED / NO_FILE_DESCRIPTOR where the process may open no more.
  static Result<Wakeup> Create();

  Wakeup(Wakeup&& other) noexcept;
  Wakeup& operator=(Wakeup&& other) noexcept;
  ~Wakeup();

  // Readable while signalled. Non-blocking and close-on-exec. Valid as long as this object.
  int fd() const { return read_fd_; }

  // Makes fd() readable. Never blocks; a second signal before Drain() adds nothing.
  // Async-signal-safe.
  void Signal() const;

  // Makes fd() unreadable again. Never blocks. True where it had been signalled.
  bool Drain() const;

 private:
  Wakeup(int read_fd, int write_fd) : read_fd_(read_fd), write_fd_(write_fd) {}
  void Close();

  int read_fd_ = -1;
  int write_fd_ = -1;  // the same as read_fd_ for an eventfd
};

}  // namespace llmr
