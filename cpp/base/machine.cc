#include "base/machine.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#ifdef __linux__
#include <sched.h>
#else
#include <unistd.h>
#endif

namespace llmr {

#ifdef __linux__
namespace {

template <class T>
std::optional<T> ReadNumber(const std::string& path) {
  std::ifstream file(path);
  T value{};
  return file >> value ? std::optional(value) : std::nullopt;
}

// Processors that are hyper-threads of one core count once.
std::int32_t CoresInAffinity() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
    return static_cast<std::int32_t>(std::thread::hardware_concurrency());
  }
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed)) {
      const std::string topology =
          "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
      const auto core = ReadNumber<int>(topology + "core_id");
      const auto package = ReadNumber<int>(topology + "physical_package_id");
      cores.emplace(package.value_or(-1), core.value_or(-1 - cpu));
    }
  }
  return static_cast<std::int32_t>(cores.size());
}

// Of version 2, whose root the container sees as its own.
std::optional<double> ControlGroupCores() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0;
  double period = 0;
  return file >> quota >> period && period > 0 ? std::optional(quota / period) : std::nullopt;
}

std::optional<std::size_t> ControlGroupMemory() {
  const auto limit = ReadNumber<std::size_t>("/sys/fs/cgroup/memory.max");
  const auto used = ReadNumber<std::size_t>("/sys/fs/cgroup/memory.current");
  if (!limit.has_value() || !used.has_value()) {
    return std::nullopt;
  }
  return *limit - std::min(*limit, *used);
}

}  // namespace

std::int32_t UsableCores() {
  const auto cores = static_cast<double>(CoresInAffinity());
  const double share = std::ceil(ControlGroupCores().value_or(cores));
  return std::max(1, static_cast<std::int32_t>(std::min(cores, share)));
}

std::size_t AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::size_t kibibytes = 0;
  for (std::string unit; file >> name >> kibibytes; std::getline(file, unit)) {
    if (name == "MemAvailable:") {
      const std::size_t bytes = kibibytes * 1024;
      return std::min(bytes, ControlGroupMemory().value_or(bytes));
    }
  }
  return 0;
}
#else
std::int32_t UsableCores() {
  return std::max(1, static_cast<std::int32_t>(std::thread::hardware_concurrency()));
}

std::size_t AvailableMemory() {
  const long pages = sysconf(_SC_PHYS_PAGES);
  const long size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0
             ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) / 2
             : 0;
}
#endif

}  // namespace llmr
