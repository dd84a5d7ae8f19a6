// A file that appears whole or not at all.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/file_descriptor.h"
#include "base/status.h"

namespace llmr {

// Writes into a temporary file beside the target, PATH.XXXXXX.tmp, readable by its owner alone, and
// renames it over the target when it is complete and on the disk. Whatever fails before that leaves
// the target as it was. What a killed process leaves is a file of that name; unlike one that
// is being written, nobody holds it locked (flock). Errors of all functions: RESOURCE_EXHAUSTED /
// DISK_FULL where disk, quota or the limit of a file's size are; FAILED_PRECONDITION /
// FILE_UNWRITABLE. Movable; not thread-safe.
class AtomicFile {
 public:
  static Result<AtomicFile> Create(const std::string& path);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();  // removes the temporary file, unless it was committed

  // Appends. Now and then it waits for the disk, so that Commit has little left to wait for.
  Status Write(std::span<const std::byte> bytes);

  // Puts the file in its target's place, for good: a power cut does not undo it.
  Status Commit();

 private:
  AtomicFile(std::string path, std::string temporary, FileDescriptor file);

  std::string path_;
  std::string temporary_;  // empty once it is gone
  FileDescriptor file_;
  std::size_t unflushed_ = 0;  // bytes
};

}  // namespace llmr
