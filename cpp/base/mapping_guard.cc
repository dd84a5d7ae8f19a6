#include "base/mapping_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>

namespace llmr {
namespace {

// One guarded range. The handler may read it at any time on any thread, so every field is atomic,
// and lock-free ones are async-signal-safe. `begin` is written last and cleared first: a range with
// begin != 0 is complete.
struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  std::atomic<bool> damaged{false};
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);

// The process-wide state that a signal handler needs; mapping_guard.h says why it exists.
std::array<Slot, MappingGuard::kCapacity> g_slots;
struct sigaction g_previous;  // written before the handler is installed, read-only afterwards
uintptr_t g_page_size;        // likewise

// The guarded range that holds `address`, with its end, or no slot.
struct Hit {
  Slot* slot = nullptr;
  uintptr_t end = 0;
};

Hit FindSlot(uintptr_t address) {
  for (Slot& slot : g_slots) {
    const uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    const uintptr_t end = slot.end.load(std::memory_order_acquire);
    // Read again: between the two the slot may have been given to another range.
    if (begin != 0 && address >= begin && address < end && begin == slot.begin.load()) {
      return {&slot, end};
    }
  }
  return {};
}

// Lays zeros over the range from the page of `address` to `end`: where a page is gone, so are those
// behind it, and one mapping for all keeps far from the limit on mappings. mmap is a plain system
// call: async-signal-safe in practice on every system we run on, though POSIX does not list it.
bool ReplaceRest(uintptr_t address, uintptr_t end) {
  const uintptr_t page = address & ~(g_page_size - 1);
  void* const start = reinterpret_cast<void*>(page);
  return mmap(start, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
         start;
}

void CallPrevious(int signal_number, siginfo_t* info, void* context) {
  if ((g_previous.sa_flags & SA_SIGINFO) != 0) {
    g_previous.sa_sigaction(signal_number, info, context);
  } else if (g_previous.sa_handler == SIG_DFL || g_previous.sa_handler == SIG_IGN) {
    // Delivered once this handler returns: the process ends as it would have without us.
    signal(signal_number, SIG_DFL);
    raise(signal_number);
  } else {
    g_previous.sa_handler(signal_number);
  }
}

void HandleBusError(int signal_number, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const bool is_fault = info->si_code > 0;  // else sent by a process, and si_addr means nothing
  const Hit hit = is_fault ? FindSlot(address) : Hit{};
  if (hit.slot != nullptr && ReplaceRest(address, hit.end)) {
    hit.slot->damaged.store(true, std::memory_order_release);
  } else {
    CallPrevious(signal_number, info, context);
  }
  errno = saved_errno;
}

Status InstallHandler() {
  g_page_size = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  struct sigaction action = {};
  action.sa_sigaction = HandleBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGBUS, nullptr, &g_previous) != 0 || sigaction(SIGBUS, &action, nullptr) != 0) {
    return Error{ErrorCode::kInternal, "SIGNAL_HANDLER",
                 std::string("cannot install the SIGBUS handler: ") + std::strerror(errno)};
  }
  return Ok();
}

// Installed once and never taken away: another library may have chained itself to it since.
Status InstallHandlerOnce() {
  static std::mutex mutex;
  static bool installed = false;
  const std::lock_guard lock(mutex);
  if (!installed) {
    LLMR_RETURN_IF_ERROR(InstallHandler());
    installed = true;
  }
  return Ok();
}

int TakeSlot() {
  for (int index = 0; index < MappingGuard::kCapacity; ++index) {
    bool expected = false;
    if (g_slots[static_cast<size_t>(index)].taken.compare_exchange_strong(expected, true)) {
      return index;
    }
  }
  return -1;
}

}  // namespace

Status MappingGuard::Guard(const void* data, size_t size) {
  LLMR_RETURN_IF_ERROR(InstallHandlerOnce());
  slot_ = TakeSlot();
  if (slot_ < 0) {
    return Error{ErrorCode::kResourceExhausted, "TOO_MANY_MAPPINGS",
                 "files mapped at once: " + std::to_string(kCapacity) +
                     " are mapped already; at most " + std::to_string(kCapacity) + " are allowed"};
  }
  Slot& slot = g_slots[static_cast<size_t>(slot_)];
  const auto begin = reinterpret_cast<uintptr_t>(data);
  slot.damaged.store(false, std::memory_order_relaxed);
  slot.end.store(begin + size, std::memory_order_relaxed);
  slot.begin.store(begin, std::memory_order_release);
  return Ok();
}

void MappingGuard::Release() {
  if (slot_ < 0) {
    return;
  }
  Slot& slot = g_slots[static_cast<size_t>(slot_)];
  slot.begin.store(0, std::memory_order_release);
  slot.taken.store(false, std::memory_order_release);
  slot_ = -1;
}

bool MappingGuard::damaged() const {
  return slot_ >= 0 && g_slots[static_cast<size_t>(slot_)].damaged.load(std::memory_order_acquire);
}

}  // namespace llmr
