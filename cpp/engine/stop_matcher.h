// Finds the first of several strings in a text that arrives in pieces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace llmr {

// The first match is the one that is complete first; where several end at the same byte, the
// longest. So the result does not depend on how the text is cut. Not thread-safe.
class StopMatcher {
 public:
  // REQUIRES: none is empty.
  explicit StopMatcher(std::vector<std::string> stops);

  // The text that is now certain to lie before a match: what may still become one is held back.
  // Nothing more once matched.
  std::string Push(std::string_view text);

  // What was held back, at the text's end; nothing where matched.
  std::string Flush();

  bool matched() const { return matched_; }

 private:
  // Knuth, Morris and Pratt's automaton of one stop string.
  struct Automaton {
    std::string stop;
    std::vector<std::size_t> fallback;  // of a prefix: its longest border
    std::size_t length = 0;             // of the longest prefix that ends the text

    void Step(char byte);
  };

  std::size_t Step(char byte);

  std::vector<Automaton> automata_;
  std::string pending_;  // what may still become a match
  bool matched_ = false;
};

}  // namespace llmr
