#include "kv/kv_cache.h"

#include <ggml-cpp.h>

#include <limits>
#include <map>
#include <string>
#include <utility>

#include "base/quote.h"

namespace llmr {
namespace {

ggml_type GgmlType(KvType type) { return type == KvType::kF16 ? GGML_TYPE_F16 : GGML_TYPE_F32; }

Error BadConfig(const std::string& message) {
  return Error{ErrorCode::kInvalidArgument, "KV_CONFIG", message};
}

Status CheckPositive(const char* name, std::int64_t value) {
  if (value < 1) {
    return BadConfig(std::string("KV cache: ") + name + " is " + std::to_string(value) +
                     "; allowed: 1 and more");
  }
  return Ok();
}

Status CheckConfig(const KvCacheConfig& config) {
  LLMR_RETURN_IF_ERROR(CheckPositive("layers", config.layers));
  LLMR_RETURN_IF_ERROR(CheckPositive("width", config.width));
  LLMR_RETURN_IF_ERROR(CheckPositive("blocks", config.blocks));
  LLMR_RETURN_IF_ERROR(CheckPositive("block size", config.block_size));
  constexpr std::int64_t kMaxSlots = std::numeric_limits<std::int32_t>::max();
  if (std::int64_t{config.blocks} * config.block_size > kMaxSlots) {
    return BadConfig("KV cache: " + std::to_string(config.blocks) + " blocks of " +
                     std::to_string(config.block_size) +
                     " tokens; allowed: " + std::to_string(kMaxSlots) + " tokens");
  }
  constexpr std::size_t kMaxBytes = std::size_t{1} << 48;
  if (KvBytesPerBlock(config) > kMaxBytes / static_cast<std::size_t>(config.blocks)) {
    return BadConfig("KV cache: more than 2^48 bytes");
  }
  if (!config.placement.empty() &&
      config.placement.size() != static_cast<std::size_t>(config.layers)) {
    return BadConfig("KV cache: placement of " + std::to_string(config.placement.size()) +
                     " layers for " + std::to_string(config.layers));
  }
  return Ok();
}

}  // namespace

Result<KvType> ParseKvType(std::string_view name) {
  if (name == "f16") {
    return KvType::kF16;
  }
  if (name == "f32") {
    return KvType::kF32;
  }
  return Error{ErrorCode::kInvalidArgument, "KV_TYPE_UNKNOWN",
               "KV type is " + Quote(name) + "; allowed: f32, f16"};
}

std::size_t KvBytesPerBlock(const KvCacheConfig& config) {
  const std::size_t element = config.type == KvType::kF16 ? 2 : 4;
  return 2 * element * static_cast<std::size_t>(config.layers) *
         static_cast<std::size_t>(config.width) * static_cast<std::size_t>(config.block_size);
}

struct KvCache::Impl {
  KvCacheConfig config;
  std::vector<ggml_tensor*> keys;
  std::vector<ggml_tensor*> values;
  std::map<ggml_backend_buffer_type_t, ggml_context_ptr> contexts;
  std::vector<ggml_backend_buffer_ptr> buffers;

  void AddLayer(ggml_backend_buffer_type_t placement);
  Status Allocate();
  void Plan();
};

void KvCache::Impl::AddLayer(ggml_backend_buffer_type_t placement) {
  ggml_context_ptr& context = contexts[placement];
  if (context == nullptr) {
    const auto most = 2 * static_cast<std::size_t>(config.layers);
    context.reset(ggml_init(
        {.mem_size = most * ggml_tensor_overhead(), .mem_buffer = nullptr, .no_alloc = true}));
  }
  const std::int64_t slots = std::int64_t{config.blocks} * config.block_size;
  for (auto* const tensors : {&keys, &values}) {
    tensors->push_back(
        ggml_new_tensor_2d(context.get(), GgmlType(config.type), config.width, slots));
  }
}

Status KvCache::Impl::Allocate() {
  for (const auto& [placement, context] : contexts) {
    ggml_backend_buffer_ptr buffer(
        ggml_backend_alloc_ctx_tensors_from_buft(context.get(), placement));
    if (buffer == nullptr) {
      const std::size_t bytes = KvBytesPerBlock(config) * static_cast<std::size_t>(config.blocks);
      return Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
                   "no memory for a KV cache of " + std::to_string(bytes) + " bytes"};
    }
    buffers.push_back(std::move(buffer));
  }
  return Ok();
}

// Empty buffers say where the tensors would lie.
void KvCache::Impl::Plan() {
  for (const auto& [placement, context] : contexts) {
    buffers.emplace_back(ggml_backend_buft_alloc_buffer(placement, 0));
    for (ggml_tensor* tensor = ggml_get_first_tensor(context.get()); tensor != nullptr;
         tensor = ggml_get_next_tensor(context.get(), tensor)) {
      tensor->buffer = buffers.back().get();
    }
  }
}

KvCache::KvCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KvCache::~KvCache() = default;

// Tensors without data.
Result<std::unique_ptr<KvCache::Impl>> KvCache::Lay(const KvCacheConfig& config) {
  LLMR_RETURN_IF_ERROR(CheckConfig(config));
  auto impl = std::make_unique<Impl>();
  impl->config = config;
  if (impl->config.placement.empty()) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    impl->config.placement.assign(static_cast<std::size_t>(config.layers),
                                  ggml_backend_dev_buffer_type(cpu));
  }
  for (ggml_backend_buffer_type_t placement : impl->config.placement) {
    impl->AddLayer(placement);
  }
  return impl;
}

Result<std::shared_ptr<KvCache>> KvCache::Create(const KvCacheConfig& config) {
  LLMR_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Lay(config));
  LLMR_RETURN_IF_ERROR(impl->Allocate());
  return std::shared_ptr<KvCache>(new KvCache(std::move(impl)));
}

Result<std::shared_ptr<KvCache>> KvCache::Plan(const KvCacheConfig& config) {
  LLMR_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Lay(config));
  impl->Plan();
  return std::shared_ptr<KvCache>(new KvCache(std::move(impl)));
}

ggml_tensor* KvCache::keys(std::int32_t layer) const {
  return impl_->keys[static_cast<std::size_t>(layer)];
}

ggml_tensor* KvCache::values(std::int32_t layer) const {
  return impl_->values[static_cast<std::size_t>(layer)];
}

void KvCache::ReadBlock(BlockId block, std::span<std::byte> bytes) const {
  const std::size_t part = bytes.size() / (2 * impl_->keys.size());
  for (std::size_t layer = 0; layer < impl_->keys.size(); ++layer) {
    for (const ggml_tensor* tensor : {impl_->keys[layer], impl_->values[layer]}) {
      ggml_backend_tensor_get(tensor, bytes.data(), static_cast<std::size_t>(block) * part, part);
      bytes = bytes.subspan(part);
    }
  }
}

void KvCache::WriteBlock(BlockId block, std::span<const std::byte> bytes) {
  const std::size_t part = bytes.size() / (2 * impl_->keys.size());
  for (std::size_t layer = 0; layer < impl_->keys.size(); ++layer) {
    for (ggml_tensor* tensor : {impl_->keys[layer], impl_->values[layer]}) {
      ggml_backend_tensor_set(tensor, bytes.data(), static_cast<std::size_t>(block) * part, part);
      bytes = bytes.subspan(part);
    }
  }
}

const KvCacheConfig& KvCache::config() const { return impl_->config; }

std::int32_t KvCache::slots() const { return impl_->config.blocks * impl_->config.block_size; }

std::size_t KvCache::bytes() const {
  return KvBytesPerBlock(impl_->config) * static_cast<std::size_t>(impl_->config.blocks);
}

}  // namespace llmr
