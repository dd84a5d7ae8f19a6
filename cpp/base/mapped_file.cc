#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "base/file_descriptor.h"

namespace llmr {
namespace {

Error Unreadable(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kFailedPrecondition, "FILE_UNREADABLE", "path '" + path + "': " + why};
}

Error OpenError(const std::string& path, int error_number) {
  if (error_number == ENOENT || error_number == ENOTDIR) {
    return Error{ErrorCode::kNotFound, "FILE_NOT_FOUND", "path '" + path + "': no such file"};
  }
  if (error_number == EMFILE || error_number == ENFILE) {
    return Error{ErrorCode::kResourceExhausted, "NO_FILE_DESCRIPTOR",
                 "path '" + path + "': " + std::strerror(error_number)};
  }
  return Unreadable(path, std::strerror(error_number));
}

// The size of a file that can be mapped, in bytes.
Result<size_t> MappableSize(const std::string& path, int fd) {
  struct stat status = {};
  if (fstat(fd, &status) != 0) {
    return Unreadable(path, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return Unreadable(path, "not a regular file");
  }
  if (status.st_size <= 0) {
    return Unreadable(path, "the file is empty");
  }
  if (static_cast<uint64_t>(status.st_size) > std::numeric_limits<size_t>::max() / 2) {
    return Unreadable(
        path, "size " + std::to_string(status.st_size) + " bytes exceeds the address space");
  }
  return static_cast<size_t>(status.st_size);
}

}  // namespace

// Lives on the heap, so that a MappedFile can move while the guard keeps its slot.
class MappedFile::Mapping {
 public:
  Mapping(void* address, size_t length) : data_(address), size_(length) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    guard_.Release();
    munmap(data_, size_);
  }

  Status Guard() { return guard_.Guard(data_, size_); }
  const void* data() const { return data_; }
  size_t size() const { return size_; }
  bool damaged() const { return guard_.damaged(); }

 private:
  void* data_;
  size_t size_;
  MappingGuard guard_;
};

Result<MappedFile> MappedFile::Open(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "INVALID_PATH", "path: holds a zero byte"};
  }
  // O_NONBLOCK: opening a named pipe must not wait for a writer. It means nothing for a regular
  // file.
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    return OpenError(path, errno);
  }
  LLMR_ASSIGN_OR_RETURN(const size_t size, MappableSize(path, file.get()));
  void* const data = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0);
  if (data == MAP_FAILED) {
    return Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
                 "path '" + path + "': cannot map " + std::to_string(size) +
                     " bytes: " + std::strerror(errno)};
  }
  auto mapping = std::make_unique<Mapping>(data, size);
  LLMR_RETURN_IF_ERROR(mapping->Guard());
  return MappedFile(std::move(mapping));
}

MappedFile::MappedFile(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;
MappedFile::~MappedFile() = default;

const std::byte* MappedFile::data() const {
  return static_cast<const std::byte*>(mapping_->data());
}
size_t MappedFile::size() const { return mapping_->size(); }
bool MappedFile::damaged() const { return mapping_->damaged(); }

}  // namespace llmr
