#include "base/quote.h"

#include <cstddef>

namespace llmr {
namespace {

constexpr size_t kMaxQuoted = 80;

void AppendEscaped(std::string& out, char character) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(character);
  if (byte >= 0x20 && byte < 0x7f && character != '\'' && character != '\\') {
    out += character;
    return;
  }
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

}  // namespace

std::string Quote(std::string_view text) {
  std::string out = "'";
  for (const char character : text.substr(0, kMaxQuoted)) {
    AppendEscaped(out, character);
  }
  out += text.size() > kMaxQuoted ? "…'" : "'";
  return out;
}

}  // namespace llmr
