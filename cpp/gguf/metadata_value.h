// One value of a GGUF file's metadata.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace llmr {

// Owns its data: nothing points into the file. Strings are bytes as the file has them, not
// necessarily UTF-8. Arrays of arrays do not occur: the parser refuses them.
using MetadataValue =
    std::variant<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, float, bool, std::string,
                 uint64_t, int64_t, double,  //
                 std::vector<uint8_t>, std::vector<int8_t>, std::vector<uint16_t>,
                 std::vector<int16_t>, std::vector<uint32_t>, std::vector<int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>,
                 std::vector<uint64_t>, std::vector<int64_t>, std::vector<double>>;

// Keys are printable ASCII.
using Metadata = std::map<std::string, MetadataValue, std::less<>>;

// "u32", "array of str" and so on, for messages.
std::string MetadataTypeName(const MetadataValue& value);

}  // namespace llmr
