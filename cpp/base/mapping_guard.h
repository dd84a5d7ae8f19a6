// Keeps the process alive when a mapped file shrinks.
//
// Reading a page of a mapping that lies past the end of its file raises SIGBUS, which ends the
// process: anyone who can truncate a model file could kill the service. The only place where that
// can be caught is a signal handler, and a handler is process-wide by nature; hence the one global
// of the core, kept in mapping_guard.cc. It is installed once, on the first mapping, and passes
// every fault outside our mappings on to the handler that was there before.
//
// For a fault inside one of our mappings the handler lays zeros over the range from the faulting
// page on, sets the mapping's `damaged` flag and lets the read go on: it yields zeros. Whoever uses
// the data looks at the flag afterwards.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/status.h"

namespace llmr {

// While it lives, faults inside [data, data + size) are survived. Not movable: the handler knows it
// by its slot.
class MappingGuard {
 public:
  // How many mappings can be guarded at once in the process.
  static constexpr int kCapacity = 256;

  MappingGuard() = default;
  MappingGuard(const MappingGuard&) = delete;
  MappingGuard& operator=(const MappingGuard&) = delete;
  ~MappingGuard() { Release(); }

  // `data` is page-aligned; the range stays mapped until Release(). Called at most once before
  // Release(). Thread-safe. Errors: RESOURCE_EXHAUSTED / TOO_MANY_MAPPINGS where all slots are
  // taken; INTERNAL / SIGNAL_HANDLER.
  Status Guard(const void* data, size_t size);

  // Forgets the range; call before unmapping it. No thread may read the range any more.
  void Release();

  // True once a page was missing and has been replaced by zeros. Any thread may ask.
  bool damaged() const;

 private:
  int slot_ = -1;
};

}  // namespace llmr
