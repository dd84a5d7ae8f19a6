// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/status.h"

namespace llmr {

// Written beside its target, as "<target>.<random>.partial", and moved there by Commit(). Without a
// Commit() that succeeds, the destructor removes it; only a killed process leaves it behind.
// Movable; not thread-safe. Errors of all: RESOURCE_EXHAUSTED / DISK_FULL; FAILED_PRECONDITION /
// TARGET_UNWRITABLE with the system's reason.
class NewFile {
 public:
  // `size` bytes have to be free. Errors: also FAILED_PRECONDITION / TARGET_EXISTS where there is
  // something at `target` already that may not be replaced.
  static Result<NewFile> Create(const std::string& target, std::size_t size, bool replace);

  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  Status Write(std::span<const std::byte> bytes);

  // Brings what was written to the disk and then under the target's name; another file that came
  // there meanwhile stays, unless it may be replaced. Errors: also TARGET_EXISTS. Call once, last.
  Status Commit();

 private:
  NewFile(std::string target, std::string partial, int descriptor, bool replace);

  Status Move();

  std::string target_;
  std::string partial_;  // empty once there is nothing to remove
  int descriptor_ = -1;
  bool replace_;
};

}  // namespace llmr
