// Tokens' bytes to the text that may be shown: whole characters, without stop strings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/stop_matcher.h"
#include "engine/utf8_decoder.h"

namespace llmr {

// The text does not depend on how the bytes are cut into tokens. Not thread-safe.
class StreamDecoder {
 public:
  // REQUIRES: stop strings are UTF-8 and not empty.
  explicit StreamDecoder(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // The text that became certain. Nothing once stopped().
  std::string Push(std::string_view bytes) { return stops_.Push(characters_.Push(bytes)); }

  // The rest, at the end: an incomplete character becomes U+FFFD, held back text is text.
  std::string Flush() {
    std::string text = stops_.Push(characters_.Flush());
    text += stops_.Flush();
    return text;
  }

  // A stop string is complete; it and what follows is not part of the text.
  bool stopped() const { return stops_.matched(); }

 private:
  Utf8Decoder characters_;
  StopMatcher stops_;
};

}  // namespace llmr
