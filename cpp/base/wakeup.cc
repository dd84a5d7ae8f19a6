#include "base/wakeup.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#ifdef __linux__
#include <sys/eventfd.h>
#else
#include <fcntl.h>
#include <sys/socket.h>
#endif

namespace llmr {
namespace {

[[maybe_unused]] Error CannotCreate() {
  return Error{ErrorCode::kResourceExhausted, "NO_FILE_DESCRIPTOR",
               std::string("cannot create a wake-up descriptor: ") + std::strerror(errno)};
}

}  // namespace

#ifdef __linux__
Result<Wakeup> Wakeup::Create() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) {
    return CannotCreate();
  }
  return Wakeup(fd, fd);
}
#else
Result<Wakeup> Wakeup::Create() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
    return CannotCreate();
  }
  for (const int fd : fds) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  }
  return Wakeup(fds[0], fds[1]);
}
#endif

Wakeup::Wakeup(Wakeup&& other) noexcept
    : read_fd_(std::exchange(other.read_fd_, -1)), write_fd_(std::exchange(other.write_fd_, -1)) {}

Wakeup& Wakeup::operator=(Wakeup&& other) noexcept {
  if (this != &other) {
    Close();
    read_fd_ = std::exchange(other.read_fd_, -1);
    write_fd_ = std::exchange(other.write_fd_, -1);
  }
  return *this;
}

Wakeup::~Wakeup() { Close(); }

void Wakeup::Signal() const {
  const int saved_errno = errno;
  const uint64_t one = 1;
  // EAGAIN means that the descriptor is full, so readable already.
  while (write(write_fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
  errno = saved_errno;
}

bool Wakeup::Drain() const {
  std::array<char, 512> buffer;
  bool signalled = false;
  for (;;) {
    const ssize_t count = read(read_fd_, buffer.data(), buffer.size());
    if (count > 0) {
      signalled = true;
    } else if (count == 0 || errno != EINTR) {
      return signalled;
    }
    if (count > 0 && read_fd_ == write_fd_) {
      return true;  // one read empties an eventfd
    }
  }
}

void Wakeup::Close() {
  if (read_fd_ >= 0) {
    close(read_fd_);
  }
  if (write_fd_ >= 0 && write_fd_ != read_fd_) {
    close(write_fd_);
  }
  read_fd_ = write_fd_ = -1;
}

}  // namespace llmr
