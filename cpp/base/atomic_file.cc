#include "base/atomic_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/quote.h"

namespace llmr {
namespace {

constexpr std::size_t kFlushBytes = std::size_t{32} << 20;

Error CannotWrite(const std::string& path, int error_number) {
  const std::string message = "path " + Quote(path) + ": " + std::strerror(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) {
    return Error{ErrorCode::kResourceExhausted, "DISK_FULL", message};
  }
  return Error{ErrorCode::kFailedPrecondition, "FILE_UNWRITABLE", message};
}

// The rename is on the disk once the folder is.
Status SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || fsync(opened.get()) != 0) {
    return CannotWrite(folder, errno);
  }
  return Ok();
}

}  // namespace

Result<AtomicFile> AtomicFile::Create(const std::string& path) {
  const std::string suffix = ".tmp";
  std::string temporary = path + ".XXXXXX" + suffix;
  FileDescriptor file(mkostemps(temporary.data(), static_cast<int>(suffix.size()), O_CLOEXEC));
  if (file.get() < 0) {
    return CannotWrite(path, errno);
  }
  // Not every file system can. Who then takes the file for a leftover makes Commit fail, no more.
  static_cast<void>(flock(file.get(), LOCK_EX | LOCK_NB));
  return AtomicFile(path, std::move(temporary), std::move(file));
}

AtomicFile::AtomicFile(std::string path, std::string temporary, FileDescriptor file)
    : path_(std::move(path)), temporary_(std::move(temporary)), file_(std::move(file)) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)),
      unflushed_(other.unflushed_) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) {
    unlink(temporary_.c_str());
  }
}

Status AtomicFile::Write(std::span<const std::byte> bytes) {
  unflushed_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return CannotWrite(path_, errno);
    }
    bytes = bytes.subspan(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  if (unflushed_ >= kFlushBytes) {
    unflushed_ = 0;
    if (fsync(file_.get()) != 0) {
      return CannotWrite(path_, errno);
    }
  }
  return Ok();
}

Status AtomicFile::Commit() {
  if (fsync(file_.get()) != 0 || std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return CannotWrite(path_, errno);
  }
  temporary_.clear();
  return SyncFolderOf(path_);
}

}  // namespace llmr
