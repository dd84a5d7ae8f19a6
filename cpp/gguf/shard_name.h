// How the files of a sharded model are named: NAME-00001-of-00003.gguf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmr {

struct ShardName {
  std::string prefix;       // the path up to "-00001-of-00003.gguf"
  std::int64_t number = 0;  // as the name has it: the first is 1
  std::int64_t count = 0;   // of the whole set

  // The path of another shard of the same set.
  std::string Path(std::int64_t of) const;
};

// "-00001-of-00003.gguf". REQUIRES: both from 0 to 99999.
std::string ShardSuffix(std::int64_t number, std::int64_t count);

// Nothing where the path does not end as that of a shard.
std::optional<ShardName> ParseShardName(std::string_view path);

}  // namespace llmr
