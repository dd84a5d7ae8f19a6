#include "sched/fair_share.h"

#include <algorithm>
#include <limits>

namespace llmr {

void FairShare::SetBacklogged(const std::set<std::uint64_t>& callers) {
  std::set<std::uint64_t> stayed;
  std::ranges::set_intersection(callers, backlogged_, std::inserter(stayed, stayed.end()));
  const std::set<std::uint64_t>& measure = stayed.empty() ? backlogged_ : stayed;
  if (!measure.empty()) {
    floor_ = std::max(floor_, LeastServed(measure));
  }
  std::erase_if(served_, [&](const auto& entry) { return entry.second <= floor_; });
  backlogged_ = callers;
}

void FairShare::Charge(std::uint64_t caller, std::int32_t tokens) {
  if (tokens > 0) {
    served_[caller] = Served(caller) + static_cast<std::uint64_t>(tokens);
  }
}

std::uint64_t FairShare::Lead(std::uint64_t caller) const {
  return Served(caller) - std::min(Served(caller), LeastServed(backlogged_));
}

std::uint64_t FairShare::Served(std::uint64_t caller) const {
  const auto entry = served_.find(caller);
  return entry == served_.end() ? floor_ : entry->second;
}

std::uint64_t FairShare::LeastServed(const std::set<std::uint64_t>& callers) const {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t caller : callers) {
    least = std::min(least, Served(caller));
  }
  return least;
}

}  // namespace llmr
