#include "gguf/gguf_shards.h"

#include <algorithm>
#include <optional>

#include "base/quote.h"
#include "gguf/gguf_cursor.h"
#include "gguf/shard_name.h"

namespace llmr {
namespace {

constexpr std::string_view kNumberKey = "split.no";
constexpr std::string_view kCountKey = "split.count";
constexpr std::string_view kTensorsKey = "split.tensors.count";

Error In(const GgufFile& file, Error error) {
  error.message = "path " + Quote(file.path()) + ": " + error.message;
  return error;
}

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Error BadNumber(const GgufFile& file, std::string_view key, std::int64_t value,
                const std::string& allowed) {
  return In(file, GgufInvalid("metadata " + Quote(key) + " is " + std::to_string(value) +
                              "; allowed: " + allowed));
}

Result<std::int64_t> Number(const GgufFile& file, std::string_view key) {
  Result<std::int64_t> value = file.Get<std::int64_t>(key);
  if (!value.ok()) {
    return In(file, std::move(value).error());
  }
  return value;
}

Status CheckNumber(const GgufFile& file, std::string_view key, std::int64_t wanted) {
  LLMR_ASSIGN_OR_RETURN(const std::int64_t value, Number(file, key));
  return value == wanted ? Ok() : Status(BadNumber(file, key, value, std::to_string(wanted)));
}

// 1 for a file that is no shard.
Result<std::int64_t> ShardCount(const GgufFile& file) {
  if (file.Find(kCountKey) == nullptr) {
    return std::int64_t{1};
  }
  LLMR_ASSIGN_OR_RETURN(const std::int64_t count, Number(file, kCountKey));
  if (count < 0 || count > GgufShards::kMaxShards) {
    return BadNumber(file, kCountKey, count, "0 to " + std::to_string(GgufShards::kMaxShards));
  }
  return std::max<std::int64_t>(count, 1);
}

Result<ShardName> NameOfFirst(const GgufFile& file, std::int64_t count) {
  const std::optional<ShardName> name = ParseShardName(file.path());
  if (!name.has_value() || name->count != count) {
    return In(file,
              GgufInvalid("metadata " + Quote(kCountKey) + " is " + std::to_string(count) +
                          "; allowed then: a path that ends in " + Quote(ShardSuffix(1, count))));
  }
  if (name->number != 1) {
    return Error{ErrorCode::kFailedPrecondition, "GGUF_NOT_FIRST_SHARD",
                 "path " + Quote(file.path()) + ": is shard " + std::to_string(name->number) +
                     " of " + std::to_string(count) + "; allowed: the first, " +
                     Quote(FileName(name->Path(1)))};
  }
  return *name;
}

Result<std::shared_ptr<const GgufFile>> OpenChecked(const ShardName& name, std::int64_t number) {
  LLMR_ASSIGN_OR_RETURN(std::shared_ptr<const GgufFile> file, GgufFile::Open(name.Path(number)));
  LLMR_RETURN_IF_ERROR(CheckNumber(*file, kNumberKey, number - 1));
  LLMR_RETURN_IF_ERROR(CheckNumber(*file, kCountKey, name.count));
  return file;
}

// Its errors say which shard it is: the end of a long path is cut.
Result<std::shared_ptr<const GgufFile>> OpenShard(const ShardName& name, std::int64_t number) {
  auto file = OpenChecked(name, number);
  if (!file.ok()) {
    Error error = std::move(file).error();
    error.message = "shard " + std::to_string(number) + " of " + std::to_string(name.count) + ": " +
                    error.message;
    return error;
  }
  return file;
}

}  // namespace

Result<std::shared_ptr<const GgufShards>> GgufShards::Open(const std::string& path) {
  std::vector<std::shared_ptr<const GgufFile>> files;
  LLMR_ASSIGN_OR_RETURN(std::shared_ptr<const GgufFile> first, GgufFile::Open(path));
  LLMR_ASSIGN_OR_RETURN(const std::int64_t count, ShardCount(*first));
  files.push_back(std::move(first));
  if (count > 1) {
    LLMR_ASSIGN_OR_RETURN(const ShardName name, NameOfFirst(*files.front(), count));
    LLMR_RETURN_IF_ERROR(CheckNumber(*files.front(), kNumberKey, 0));
    for (std::int64_t number = 2; number <= count; ++number) {
      LLMR_ASSIGN_OR_RETURN(std::shared_ptr<const GgufFile> file, OpenShard(name, number));
      files.push_back(std::move(file));
    }
  }
  std::shared_ptr<GgufShards> shards(new GgufShards(std::move(files)));
  LLMR_RETURN_IF_ERROR(shards->CollectTensors());
  return std::shared_ptr<const GgufShards>(std::move(shards));
}

Status GgufShards::CollectTensors() {
  for (std::size_t file = 0; file < files_.size(); ++file) {
    for (const TensorInfo& tensor : files_[file]->tensors()) {
      const auto [other, added] = by_name_.emplace(tensor.name, Located{&tensor, file});
      if (!added) {
        return In(first(), GgufInvalid("tensor " + Quote(tensor.name) + ": is in shard " +
                                       std::to_string(other->second.file + 1) + " and in shard " +
                                       std::to_string(file + 1)));
      }
      tensors_.push_back(&tensor);
    }
  }
  return files_.size() == 1
             ? Ok()
             : CheckNumber(first(), kTensorsKey, static_cast<std::int64_t>(tensors_.size()));
}

std::size_t GgufShards::size() const {
  std::size_t total = 0;
  for (const auto& file : files_) {
    total += file->size();
  }
  return total;
}

bool GgufShards::damaged() const {
  return std::any_of(files_.begin(), files_.end(),
                     [](const auto& file) { return file->damaged(); });
}

const TensorInfo* GgufShards::FindTensor(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.tensor;
}

std::size_t GgufShards::FileOf(const TensorInfo& tensor) const {
  return by_name_.find(tensor.name)->second.file;
}

}  // namespace llmr
