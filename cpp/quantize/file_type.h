// What a quantised file may be: the names that users give, and what they stand for.
#pragma once

#include <ggml.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llmr {

// How much more some tensors get than the type that the file is named after.
enum class Mix { kNone, kSmall, kMedium, kLarge };

struct FileType {
  std::string_view name;    // "Q4_K_M"
  ggml_type base;           // of most matrices
  Mix mix;                  // kSmall, kMedium, kLarge: "_S", "_M", "_L"
  std::uint32_t file_type;  // general.file_type, as llama.cpp numbers them
};

// By name, in any case. Errors: INVALID_ARGUMENT / QUANTIZATION_UNKNOWN, which names them all.
Result<FileType> ParseFileType(std::string_view name);

}  // namespace llmr
