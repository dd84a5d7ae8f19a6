#include "engine/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace llmr {
namespace {

// fallback[n]: the length of the longest proper prefix of the first n bytes that also ends them.
std::vector<std::size_t> Borders(const std::string& stop) {
  std::vector<std::size_t> fallback(stop.size() + 1, 0);
  std::size_t border = 0;
  for (std::size_t i = 1; i < stop.size(); ++i) {
    while (border > 0 && stop[i] != stop[border]) {
      border = fallback[border];
    }
    border += stop[i] == stop[border] ? 1 : 0;
    fallback[i + 1] = border;
  }
  return fallback;
}

}  // namespace

StopMatcher::StopMatcher(std::vector<std::string> stops) {
  for (std::string& stop : stops) {
    std::vector<std::size_t> fallback = Borders(stop);
    automata_.push_back({std::move(stop), std::move(fallback)});
  }
}

void StopMatcher::Automaton::Step(char byte) {
  while (length > 0 && stop[length] != byte) {
    length = fallback[length];
  }
  length += stop[length] == byte ? 1 : 0;
}

std::string StopMatcher::Push(std::string_view text) {
  if (automata_.empty()) {
    return std::string(text);
  }
  std::string certain;
  for (std::size_t i = 0; i < text.size() && !matched_; ++i) {
    pending_ += text[i];
    const std::size_t ahead = pending_.size() - Step(text[i]);
    certain.append(pending_, 0, ahead);
    pending_.erase(0, ahead);
  }
  return certain;
}

// How much of the text's end is the match, or may still become one.
std::size_t StopMatcher::Step(char byte) {
  std::size_t possible = 0;
  std::size_t complete = 0;
  for (Automaton& automaton : automata_) {
    automaton.Step(byte);
    possible = std::max(possible, automaton.length);
    if (automaton.length == automaton.stop.size()) {
      complete = std::max(complete, automaton.length);
    }
  }
  matched_ = complete > 0;
  return matched_ ? complete : possible;
}

std::string StopMatcher::Flush() {
  return matched_ ? std::string() : std::exchange(pending_, std::string());
}

}  // namespace llmr
