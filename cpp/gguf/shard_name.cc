#include "gguf/shard_name.h"

#include <algorithm>
#include <cstddef>

namespace llmr {
namespace {

constexpr std::string_view kShape = "-#####-of-#####.gguf";  // #: a digit
constexpr std::size_t kDigits = 5;

std::string Padded(std::int64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

bool Matches(std::string_view suffix) {
  return std::equal(suffix.begin(), suffix.end(), kShape.begin(), kShape.end(),
                    [](char found, char wanted) {
                      return wanted == '#' ? found >= '0' && found <= '9' : found == wanted;
                    });
}

std::int64_t NumberAt(std::string_view suffix, std::size_t first) {
  return std::stoll(std::string(suffix.substr(first, kDigits)));
}

}  // namespace

std::string ShardName::Path(std::int64_t of) const { return prefix + ShardSuffix(of, count); }

std::string ShardSuffix(std::int64_t number, std::int64_t count) {
  return "-" + Padded(number) + "-of-" + Padded(count) + ".gguf";
}

std::optional<ShardName> ParseShardName(std::string_view path) {
  if (path.size() < kShape.size()) {
    return std::nullopt;
  }
  const std::size_t start = path.size() - kShape.size();
  const std::string_view suffix = path.substr(start);
  if (!Matches(suffix)) {
    return std::nullopt;
  }
  return ShardName{.prefix = std::string(path.substr(0, start)),
                   .number = NumberAt(suffix, kShape.find('#')),
                   .count = NumberAt(suffix, kShape.rfind('#') + 1 - kDigits)};
}

}  // namespace llmr
