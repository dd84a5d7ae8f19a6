#include "gguf/metadata_value.h"

#include <array>

namespace llmr {
namespace {

// In the order of the variant's scalars; its arrays follow in the same order.
constexpr std::array<const char*, 12> kScalarNames = {"u8",  "i8",   "u16", "i16", "u32", "i32",
                                                      "f32", "bool", "str", "u64", "i64", "f64"};
static_assert(std::variant_size_v<MetadataValue> == 2 * kScalarNames.size());

}  // namespace

std::string MetadataTypeName(const MetadataValue& value) {
  const size_t index = value.index();
  if (index < kScalarNames.size()) {
    return kScalarNames[index];
  }
  return std::string("array of ") + kScalarNames[index - kScalarNames.size()];
}

}  // namespace llmr
