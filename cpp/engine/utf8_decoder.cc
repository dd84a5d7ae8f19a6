#include "engine/utf8_decoder.h"

namespace llmr {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

std::string Utf8Decoder::Push(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + partial_.size());
  for (const char byte : bytes) {
    Take(static_cast<unsigned char>(byte), out);
  }
  return out;
}

std::string Utf8Decoder::Flush() {
  const std::string out(partial_.empty() ? std::string_view() : kReplacement);
  partial_.clear();
  return out;
}

void Utf8Decoder::Take(unsigned char byte, std::string& out) {
  if (!partial_.empty() && (byte < least_ || byte > most_)) {
    out += kReplacement;
    partial_.clear();
  }
  if (partial_.empty()) {
    Begin(byte, out);
    return;
  }
  partial_ += static_cast<char>(byte);
  least_ = 0x80;
  most_ = 0xBF;
  if (--missing_ == 0) {
    out += partial_;
    partial_.clear();
  }
}

// The well-formed sequences of Unicode's table 3-7: the first byte decides how many follow and
// narrows the second, which keeps out overlong forms, surrogates and what lies above U+10FFFF.
void Utf8Decoder::Begin(unsigned char byte, std::string& out) {
  if (byte < 0x80) {
    out += static_cast<char>(byte);
    return;
  }
  if (byte < 0xC2 || byte > 0xF4) {
    out += kReplacement;
    return;
  }
  partial_.assign(1, static_cast<char>(byte));
  missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  least_ = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
  most_ = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
}

}  // namespace llmr
