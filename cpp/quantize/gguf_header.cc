#include "quantize/gguf_header.h"

#include <ggml.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/round_up.h"

namespace llmr {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kU32 = 4;  // GGUF's number of the type of a value

// A key of ours and its value.
struct OwnEntry {
  std::string_view key;
  std::uint32_t value;
};

// Little-endian, as the reader's static_assert promises of this machine.
class Bytes {
 public:
  template <class T>
  void Put(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }

  void Put(std::string_view bytes) { bytes_ += bytes; }

  void PutText(std::string_view text) {
    Put(std::uint64_t{text.size()});
    Put(text);
  }

  void Put(const OwnEntry& entry) {
    PutText(entry.key);
    Put(kU32);
    Put(entry.value);
  }

  std::string TakePadded(std::size_t alignment) {
    bytes_.resize(RoundUp(bytes_.size(), alignment));
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

const OwnEntry* Find(std::span<const OwnEntry> entries, std::string_view key) {
  for (const OwnEntry& entry : entries) {
    if (entry.key == key) {
      return &entry;
    }
  }
  return nullptr;
}

// The target is no part of a set.
bool IsDropped(const MetadataEntry& entry) { return entry.key.starts_with("split."); }

std::uint64_t CountMetadata(const GgufFile& source, std::span<const OwnEntry> own) {
  const auto kept = std::ranges::count_if(source.entries(), std::not_fn(IsDropped));
  const auto added = std::ranges::count_if(
      own, [&](const OwnEntry& entry) { return source.Find(entry.key) == nullptr; });
  return static_cast<std::uint64_t>(kept + added);
}

void PutMetadata(Bytes& bytes, const GgufFile& source, std::span<const OwnEntry> own) {
  for (const MetadataEntry& entry : source.entries()) {
    if (IsDropped(entry)) {
      continue;
    }
    if (const OwnEntry* const ours = Find(own, entry.key)) {
      bytes.Put(*ours);
    } else {
      const std::byte* const data = source.bytes().data() + entry.offset;
      bytes.Put(std::string_view(reinterpret_cast<const char*>(data), entry.size));
    }
  }
  for (const OwnEntry& entry : own) {
    if (source.Find(entry.key) == nullptr) {
      bytes.Put(entry);
    }
  }
}

void PutTensor(Bytes& bytes, const PlannedTensor& tensor) {
  const TensorInfo& source = *tensor.source;
  bytes.PutText(source.name);
  bytes.Put(static_cast<std::uint32_t>(source.dimensions));
  for (int dimension = 0; dimension < source.dimensions; ++dimension) {
    bytes.Put(source.shape[static_cast<std::size_t>(dimension)]);
  }
  bytes.Put(static_cast<std::uint32_t>(tensor.type));
  bytes.Put(std::uint64_t{tensor.offset});
}

}  // namespace

std::string BuildHeader(const GgufFile& source, const FileType& file_type,
                        std::span<const PlannedTensor> tensors) {
  const OwnEntry own[] = {{"general.quantization_version", GGML_QNT_VERSION},
                          {"general.file_type", file_type.file_type}};
  Bytes bytes;
  bytes.Put(std::string_view("GGUF"));
  bytes.Put(kVersion);
  bytes.Put(std::uint64_t{tensors.size()});
  bytes.Put(CountMetadata(source, own));
  PutMetadata(bytes, source, own);
  for (const PlannedTensor& tensor : tensors) {
    PutTensor(bytes, tensor);
  }
  return bytes.TakePadded(source.alignment());
}

}  // namespace llmr
