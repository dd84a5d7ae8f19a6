#include "base/atomic_file.h"

#include <fcntl.h>
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
constexpr int kMostNames = 1000;  // that are tried; others of this process, or left by one

Error CannotWrite(const std::string& path, int error_number) {
  const std::string message = "path " + Quote(path) + ": " + std::strerror(error_number);
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) {
    return Error{ErrorCode::kResourceExhausted, "DISK_FULL", message};
  }
  return Error{ErrorCode::kFailedPrecondition, "FILE_UNWRITABLE", message};
}

// The move is on the disk once the folder is. Not every file system has that to offer (EINVAL).
Status SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || (fsync(opened.get()) != 0 && errno != EINVAL)) {
    return CannotWrite(folder, errno);
  }
  return Ok();
}

std::string TemporaryName(const std::string& path, int number) {
  return path + "." + std::to_string(getpid()) + "_" + std::to_string(number) + ".tmp";
}

}  // namespace

Error FileExists(const std::string& path) {
  return Error{ErrorCode::kFailedPrecondition, "FILE_EXISTS",
               "path " + Quote(path) + ": exists; allowed: a new file"};
}

Result<AtomicFile> AtomicFile::Create(const std::string& path, mode_t mode) {
  if (path.find('\0') != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "INVALID_PATH", "path: holds a zero byte"};
  }
  for (int number = 0; number < kMostNames; ++number) {
    std::string temporary = TemporaryName(path, number);
    FileDescriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (file.get() >= 0) {
      // Not every file system can. Who then takes the file for a leftover makes the commit fail, no
      // more.
      static_cast<void>(flock(file.get(), LOCK_EX | LOCK_NB));
      return AtomicFile(path, std::move(temporary), std::move(file));
    }
    if (errno != EEXIST) {
      return CannotWrite(path, errno);
    }
  }
  return CannotWrite(path, EEXIST);
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
  return unflushed_ < kFlushBytes ? Ok() : Flush();
}

Status AtomicFile::Flush() {
  unflushed_ = 0;
  return fsync(file_.get()) == 0 ? Ok() : Status(CannotWrite(path_, errno));
}

Status AtomicFile::Commit() {
  LLMR_RETURN_IF_ERROR(Flush());
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    return CannotWrite(path_, errno);
  }
  temporary_.clear();
  return SyncFolderOf(path_);
}

// link() refuses a name that is taken, where rename() would take it over. File systems without
// links leave only the latter.
Status AtomicFile::CommitNew() {
  LLMR_RETURN_IF_ERROR(Flush());
  if (link(temporary_.c_str(), path_.c_str()) == 0) {
    unlink(std::exchange(temporary_, {}).c_str());
    return SyncFolderOf(path_);
  }
  if (errno == EEXIST || access(path_.c_str(), F_OK) == 0) {
    return FileExists(path_);
  }
  return Commit();
}

}  // namespace llmr
