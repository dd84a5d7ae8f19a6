// Bytes in any pieces to whole UTF-8 characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llmr {

// Replaces what is not UTF-8 by U+FFFD as Python's errors="replace" does: once for each longest
// run of bytes that could have begun a character. Not thread-safe.
class Utf8Decoder {
 public:
  // The characters that are whole now; an incomplete one at the end waits for the next piece.
  std::string Push(std::string_view bytes);

  // U+FFFD where a character is left incomplete, else nothing. Ready for new input afterwards.
  std::string Flush();

 private:
  void Take(unsigned char byte, std::string& out);
  void Begin(unsigned char byte, std::string& out);

  std::string partial_;         // valid beginning of a character
  std::size_t missing_ = 0;     // bytes that it still needs
  unsigned char least_ = 0x80;  // range of the next one
  unsigned char most_ = 0xBF;
};

}  // namespace llmr
