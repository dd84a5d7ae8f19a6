// Hostile text in an error message.
#pragma once

#include <string>
#include <string_view>

namespace llmr {

// The text in single quotes, bytes outside printable ASCII as \xNN, cut after 80 bytes: safe to log
// and to send.
std::string Quote(std::string_view text);

}  // namespace llmr
