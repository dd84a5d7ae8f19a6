#include "quantize/file_type.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/quote.h"

namespace llmr {
namespace {

constexpr std::array<FileType, 15> kFileTypes = {{
    {"F16", GGML_TYPE_F16, Mix::kNone, 1},
    {"Q8_0", GGML_TYPE_Q8_0, Mix::kNone, 7},
    {"Q4_0", GGML_TYPE_Q4_0, Mix::kNone, 2},
    {"Q4_1", GGML_TYPE_Q4_1, Mix::kNone, 3},
    {"Q5_0", GGML_TYPE_Q5_0, Mix::kNone, 8},
    {"Q5_1", GGML_TYPE_Q5_1, Mix::kNone, 9},
    {"Q2_K", GGML_TYPE_Q2_K, Mix::kNone, 10},
    {"Q3_K_S", GGML_TYPE_Q3_K, Mix::kSmall, 11},
    {"Q3_K_M", GGML_TYPE_Q3_K, Mix::kMedium, 12},
    {"Q3_K_L", GGML_TYPE_Q3_K, Mix::kLarge, 13},
    {"Q4_K_S", GGML_TYPE_Q4_K, Mix::kSmall, 14},
    {"Q4_K_M", GGML_TYPE_Q4_K, Mix::kMedium, 15},
    {"Q5_K_S", GGML_TYPE_Q5_K, Mix::kSmall, 16},
    {"Q5_K_M", GGML_TYPE_Q5_K, Mix::kMedium, 17},
    {"Q6_K", GGML_TYPE_Q6_K, Mix::kNone, 18},
}};

bool SameLetter(char a, char b) {
  return std::toupper(static_cast<unsigned char>(a)) == static_cast<unsigned char>(b);
}

}  // namespace

Result<FileType> ParseFileType(std::string_view name) {
  std::string known;
  for (const FileType& type : kFileTypes) {
    if (std::ranges::equal(name, type.name, SameLetter)) {
      return type;
    }
    known += (known.empty() ? "" : ", ") + std::string(type.name);
  }
  return Error{ErrorCode::kInvalidArgument, "QUANTIZATION_UNKNOWN",
               "type is " + Quote(name) + "; allowed: " + known};
}

}  // namespace llmr
