// The memory that keys and values live in: one pair of ggml tensors a layer.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"

namespace llmr {

enum class KvType { kF32, kF16 };

// "f32" or "f16". Errors: INVALID_ARGUMENT / KV_TYPE_UNKNOWN.
Result<KvType> ParseKvType(std::string_view name);

struct KvCacheConfig {
  std::int32_t layers = 0;
  std::int32_t width = 0;  // elements of one token's keys in one layer: kv heads × head dimension
  std::int32_t blocks = 0;
  std::int32_t block_size = 16;  // tokens a block
  KvType type = KvType::kF16;
  // Where each layer lies: one a layer (Model::LayerBufferTypes()); empty: all in host memory.
  std::vector<ggml_backend_buffer_type_t> placement;
};

// Bytes of keys and values that one block takes in all layers, for choosing `blocks`.
// REQUIRES: layers, width and block_size are positive and taken from a checked model.
std::size_t KvBytesPerBlock(const KvCacheConfig& config);

// Owns the pool. Which block belongs to whom is the block pool's business; here a block is only an
// index, and token `offset` of block `b` lies in slot b × block_size + offset. Read and written by
// the graphs of one Runner at a time: not thread-safe.
class KvCache {
 public:
  // Allocates; what a slot holds before it is written is undefined. Errors: INVALID_ARGUMENT /
  // KV_CONFIG for sizes that are not positive or overflow; RESOURCE_EXHAUSTED / OUT_OF_MEMORY,
  // which names the bytes.
  static Result<std::shared_ptr<KvCache>> Create(const KvCacheConfig& config);

  // Likewise, but takes no memory: graphs over it can be measured, not computed. Errors: KV_CONFIG.
  static Result<std::shared_ptr<KvCache>> Plan(const KvCacheConfig& config);

  ~KvCache();
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;

  // [width, slots], owned by the cache. REQUIRES: layer below config().layers.
  ggml_tensor* keys(std::int32_t layer) const;
  ggml_tensor* values(std::int32_t layer) const;

  // Copies a block's keys and values, wherever they lie: layer by layer its keys, then its values,
  // each token by token. REQUIRES: a block below config().blocks, KvBytesPerBlock(config()) bytes.
  void ReadBlock(BlockId block, std::span<std::byte> bytes) const;
  void WriteBlock(BlockId block, std::span<const std::byte> bytes);

  const KvCacheConfig& config() const;
  std::int32_t slots() const;  // blocks × block_size
  std::size_t bytes() const;   // that it takes, or would

 private:
  struct Impl;
  static Result<std::unique_ptr<Impl>> Lay(const KvCacheConfig& config);
  explicit KvCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llmr
