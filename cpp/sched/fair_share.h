// Who has been given how much: a counter of computed tokens for each caller.
//
// Callers that want something now (the backlogged ones) are compared with the one among them that
// got least. Who comes back after doing without starts level with that one: idle time earns no
// credit, and leaving clears no debt.
#pragma once

#include <cstdint>
#include <map>
#include <set>

namespace llmr {

// Not thread-safe. Remembers only callers that are backlogged or ahead of those that are.
class FairShare {
 public:
  // Says who wants something now. Called once before each round of Lead.
  void SetBacklogged(const std::set<std::uint64_t>& callers);

  void Charge(std::uint64_t caller, std::int32_t tokens);

  // Tokens that the caller got beyond the least served backlogged one; 0 where it is that one.
  std::uint64_t Lead(std::uint64_t caller) const;

  std::size_t remembered() const { return served_.size(); }

 private:
  std::uint64_t Served(std::uint64_t caller) const;
  std::uint64_t LeastServed(const std::set<std::uint64_t>& callers) const;

  std::map<std::uint64_t, std::uint64_t> served_;  // absent: floor_
  std::set<std::uint64_t> backlogged_;
  std::uint64_t floor_ = 0;  // only grows
};

}  // namespace llmr
