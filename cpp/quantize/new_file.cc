#include "quantize/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <random>
#include <system_error>
#include <utility>

#include "base/quote.h"

namespace llmr {
namespace {

namespace fs = std::filesystem;

Error Failure(const std::string& path, int code) {
  const std::string message =
      "target " + Quote(path) + ": " + std::generic_category().message(code);
  if (code == ENOSPC || code == EDQUOT) {
    return Error{ErrorCode::kResourceExhausted, "DISK_FULL", message};
  }
  return Error{ErrorCode::kFailedPrecondition, "TARGET_UNWRITABLE", message};
}

Error Exists(const std::string& path) {
  return Error{ErrorCode::kFailedPrecondition, "TARGET_EXISTS",
               "target " + Quote(path) + ": exists; allowed: a new file"};
}

std::string FolderOf(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

Status CheckFree(const std::string& target, std::size_t size) {
  std::error_code error;
  const fs::space_info space = fs::space(FolderOf(target), error);
  if (error) {
    return Failure(target, error.value());
  }
  if (space.available < size) {
    return Error{ErrorCode::kResourceExhausted, "DISK_FULL",
                 "target " + Quote(target) + ": needs " + std::to_string(size) +
                     " bytes; free are " + std::to_string(space.available)};
  }
  return Ok();
}

std::string PartialOf(const std::string& target) {
  constexpr char kLetters[] = "0123456789abcdefghjkmnpqrstvwxyz";
  std::random_device random;
  std::string middle;
  for (int letter = 0; letter < 8; ++letter) {
    middle += kLetters[random() % 32];
  }
  return target + "." + middle + ".partial";
}

// The name is in the folder: after this, so is it after a loss of power.
void SyncFolder(const std::string& path) {
  const int folder = open(FolderOf(path).c_str(), O_RDONLY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
}

}  // namespace

Result<NewFile> NewFile::Create(const std::string& target, std::size_t size, bool replace) {
  std::error_code error;
  const fs::file_status found = fs::symlink_status(target, error);
  if (fs::exists(found) && !replace) {
    return Exists(target);
  }
  if (fs::exists(found) && !fs::is_regular_file(found) && !fs::is_symlink(found)) {
    return Error{ErrorCode::kFailedPrecondition, "TARGET_UNWRITABLE",
                 "target " + Quote(target) + ": is no regular file"};
  }
  LLMR_RETURN_IF_ERROR(CheckFree(target, size));
  std::string partial = PartialOf(target);
  const int descriptor = open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    return Failure(target, errno);
  }
  return NewFile(target, std::move(partial), descriptor, replace);
}

NewFile::NewFile(std::string target, std::string partial, int descriptor, bool replace)
    : target_(std::move(target)),
      partial_(std::move(partial)),
      descriptor_(descriptor),
      replace_(replace) {}

NewFile::NewFile(NewFile&& other) noexcept
    : target_(std::move(other.target_)),
      partial_(std::exchange(other.partial_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      replace_(other.replace_) {}

NewFile::~NewFile() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
  if (!partial_.empty()) {
    unlink(partial_.c_str());
  }
}

Status NewFile::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) {
      return Failure(target_, errno);
    }
    bytes = bytes.subspan(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return Ok();
}

Status NewFile::Commit() {
  if (fsync(descriptor_) != 0) {
    return Failure(target_, errno);
  }
  if (close(std::exchange(descriptor_, -1)) != 0) {
    return Failure(target_, errno);
  }
  LLMR_RETURN_IF_ERROR(Move());
  SyncFolder(target_);
  return Ok();
}

// link() refuses a name that is taken, where rename() would take it over. File systems without
// links leave only the latter.
Status NewFile::Move() {
  if (!replace_) {
    if (link(partial_.c_str(), target_.c_str()) == 0) {
      unlink(std::exchange(partial_, {}).c_str());
      return Ok();
    }
    if (errno == EEXIST || access(target_.c_str(), F_OK) == 0) {
      return Exists(target_);
    }
  }
  if (rename(partial_.c_str(), target_.c_str()) != 0) {
    return Failure(target_, errno);
  }
  partial_.clear();
  return Ok();
}

}  // namespace llmr
