#include "gguf/names.h"

#include <algorithm>
#include <string>

#include "base/quote.h"
#include "gguf/gguf_cursor.h"

namespace llmr {

Status CheckName(std::string_view field, std::string_view name, size_t max_length) {
  if (name.empty() || name.size() > max_length) {
    return GgufInvalid(std::string(field) + ": length is " + std::to_string(name.size()) +
                       " bytes; allowed: 1 to " + std::to_string(max_length));
  }
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable) {
    return GgufInvalid(std::string(field) + " is " + Quote(name) + "; allowed: printable ASCII");
  }
  return Ok();
}

}  // namespace llmr
