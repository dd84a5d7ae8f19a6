// A file that appears whole or not at all.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>

#include "base/file_descriptor.h"
#include "base/status.h"

namespace llmr {

// Writes into a temporary file beside the target, PATH.NUMBERS.tmp, and moves it to the target when
// it is complete and on the disk. Whatever fails before that leaves the target as it was. What a
// killed process leaves is a file of that name; unlike one that is being written, nobody holds it
// locked (flock). Errors of all functions: RESOURCE_EXHAUSTED / DISK_FULL where disk, quota or the
// limit of a file's size are; FAILED_PRECONDITION / FILE_UNWRITABLE. Movable; not thread-safe.
class AtomicFile {
 public:
  static constexpr mode_t kOwnerOnly = 0600;
  static constexpr mode_t kUsual = 0666;  // less what the process's umask takes away

  static Result<AtomicFile> Create(const std::string& path, mode_t mode);

  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();  // removes the temporary file, unless it was committed

  // Appends. Now and then it waits for the disk, so that a commit has little left to wait for.
  Status Write(std::span<const std::byte> bytes);

  // Puts the file in its target's place, for good: a power cut does not undo it. Once, last.
  Status Commit();

  // Likewise, but never in the place of another file. Errors: also FAILED_PRECONDITION /
  // FILE_EXISTS.
  Status CommitNew();

 private:
  AtomicFile(std::string path, std::string temporary, FileDescriptor file);

  Status Flush();

  std::string path_;
  std::string temporary_;  // empty once it is gone
  FileDescriptor file_;
  std::size_t unflushed_ = 0;  // bytes
};

// FAILED_PRECONDITION / FILE_EXISTS.
Error FileExists(const std::string& path);

}  // namespace llmr
