// A model's GGUF: one file, or all shards of a set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gguf/gguf_file.h"
#include "gguf/tensor_info.h"

namespace llmr {

// Sets are those of llama.cpp's gguf-split: NAME-00001-of-00003.gguf and so on, each a GGUF file
// whose metadata says split.no (from 0) and split.count; the first one's is the model's and also
// says split.tensors.count, of all tensors. A tensor lies whole in any of them. A file without
// split.count is a set of one, and so is one whose split.count is 0: what gguf-split merges.
//
// Immutable once opened, so any number of threads may use it; all files stay mapped as long as this
// object lives.
class GgufShards {
 public:
  static constexpr std::int64_t kMaxShards = 256;  // no more files can be mapped at once

  // `path` is the file, or the first of the set. Errors: those of GgufFile::Open for any of them;
  // FAILED_PRECONDITION / GGUF_NOT_FIRST_SHARD, which names the first; GGUF_INVALID where names,
  // numbers or tensors do not make a set; GGUF_MISSING_KEY, GGUF_WRONG_TYPE.
  static Result<std::shared_ptr<const GgufShards>> Open(const std::string& path);

  GgufShards(const GgufShards&) = delete;
  GgufShards& operator=(const GgufShards&) = delete;

  const std::vector<std::shared_ptr<const GgufFile>>& files() const { return files_; }  // ≥ 1
  const GgufFile& first() const { return *files_.front(); }  // whose metadata is the model's

  std::size_t size() const;  // bytes of all files
  bool damaged() const;      // GgufFile::damaged() of any

  // All tensors, file by file in the order of each.
  const std::vector<const TensorInfo*>& tensors() const { return tensors_; }

  // Null where there is no such tensor.
  const TensorInfo* FindTensor(std::string_view name) const;

  // The place in files() of the one that holds a tensor. REQUIRES: a tensor of this object.
  std::size_t FileOf(const TensorInfo& tensor) const;

 private:
  struct Located {
    const TensorInfo* tensor;
    std::size_t file;
  };

  explicit GgufShards(std::vector<std::shared_ptr<const GgufFile>> files)
      : files_(std::move(files)) {}

  Status CollectTensors();

  std::vector<std::shared_ptr<const GgufFile>> files_;
  std::vector<const TensorInfo*> tensors_;       // into files_
  std::map<std::string_view, Located> by_name_;  // likewise
};

}  // namespace llmr
