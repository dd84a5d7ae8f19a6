// What keys and tensor names may look like.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"

namespace llmr {

// 1 … max_length bytes of printable ASCII without blanks. Errors: FAILED_PRECONDITION /
// GGUF_INVALID, naming `field`.
Status CheckName(std::string_view field, std::string_view name, size_t max_length);

}  // namespace llmr
