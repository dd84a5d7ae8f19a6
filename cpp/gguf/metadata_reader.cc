#include "gguf/metadata_reader.h"

#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "gguf/names.h"

namespace llmr {
namespace {

// What the file's type numbers mean.
enum class ValueType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

constexpr size_t kMaxKeyLength = 65535;
constexpr size_t kMaxStringLength = size_t{16} << 20;

template <class T>
struct Tag {
  using Type = T;
};

// Calls `visit` with the Tag of the C++ type that holds a scalar of `type`, or fails.
template <class Visit>
Result<MetadataValue> VisitScalarType(uint32_t type, std::string_view field, Visit visit) {
  switch (static_cast<ValueType>(type)) {
    case ValueType::kU8:
      return visit(Tag<uint8_t>{});
    case ValueType::kI8:
      return visit(Tag<int8_t>{});
    case ValueType::kU16:
      return visit(Tag<uint16_t>{});
    case ValueType::kI16:
      return visit(Tag<int16_t>{});
    case ValueType::kU32:
      return visit(Tag<uint32_t>{});
    case ValueType::kI32:
      return visit(Tag<int32_t>{});
    case ValueType::kF32:
      return visit(Tag<float>{});
    case ValueType::kBool:
      return visit(Tag<bool>{});
    case ValueType::kString:
      return visit(Tag<std::string>{});
    case ValueType::kU64:
      return visit(Tag<uint64_t>{});
    case ValueType::kI64:
      return visit(Tag<int64_t>{});
    case ValueType::kF64:
      return visit(Tag<double>{});
    case ValueType::kArray:
      return GgufUnsupported(std::string(field) +
                             ": an array of arrays; allowed: arrays of scalars");
  }
  return GgufInvalid(std::string(field) + ": value type is " + std::to_string(type) +
                     "; allowed: 0 to 12");
}

template <class T>
Result<T> ReadScalar(GgufCursor& cursor, std::string_view field) {
  if constexpr (std::is_same_v<T, std::string>) {
    LLMR_ASSIGN_OR_RETURN(const std::string_view text, cursor.ReadString(field, kMaxStringLength));
    return std::string(text);
  } else if constexpr (std::is_same_v<T, bool>) {
    return cursor.ReadBool(field);
  } else {
    return cursor.Read<T>(field);
  }
}

// The fewest bytes that an element takes: a string's length alone.
template <class T>
constexpr size_t kMinElementSize = std::is_same_v<T, std::string> ? 8 : sizeof(T);

template <class T>
Result<MetadataValue> ReadElements(GgufCursor& cursor, std::string_view field) {
  LLMR_ASSIGN_OR_RETURN(const size_t count, cursor.ReadCount(field, kMinElementSize<T>));
  std::vector<T> elements;
  if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, bool>) {
    elements.reserve(count);
    for (size_t index = 0; index < count; ++index) {
      LLMR_ASSIGN_OR_RETURN(T element, ReadScalar<T>(cursor, field));
      elements.push_back(std::move(element));
    }
  } else {
    LLMR_ASSIGN_OR_RETURN(const std::byte* data, cursor.Take(count * sizeof(T), field));
    elements.resize(count);
    if (count > 0) {
      std::memcpy(elements.data(), data, count * sizeof(T));
    }
  }
  return MetadataValue(std::move(elements));
}

Result<MetadataValue> ReadArray(GgufCursor& cursor, std::string_view field) {
  LLMR_ASSIGN_OR_RETURN(const uint32_t type, cursor.Read<uint32_t>(field));
  return VisitScalarType(type, field, [&]<class T>(Tag<T>) -> Result<MetadataValue> {
    return ReadElements<T>(cursor, field);
  });
}

Result<MetadataValue> ReadValue(GgufCursor& cursor, std::string_view field) {
  LLMR_ASSIGN_OR_RETURN(const uint32_t type, cursor.Read<uint32_t>(field));
  if (type == static_cast<uint32_t>(ValueType::kArray)) {
    return ReadArray(cursor, field);
  }
  return VisitScalarType(type, field, [&]<class T>(Tag<T>) -> Result<MetadataValue> {
    LLMR_ASSIGN_OR_RETURN(T value, ReadScalar<T>(cursor, field));
    return MetadataValue(std::move(value));
  });
}

Result<std::string> ReadKey(GgufCursor& cursor, size_t index) {
  const std::string field = "metadata key " + std::to_string(index);
  LLMR_ASSIGN_OR_RETURN(const std::string_view key, cursor.ReadString(field, kMaxKeyLength));
  LLMR_RETURN_IF_ERROR(CheckName(field, key, kMaxKeyLength));
  return std::string(key);
}

}  // namespace

Result<Metadata> ReadMetadata(GgufCursor& cursor, size_t count,
                              std::vector<MetadataEntry>& entries) {
  Metadata metadata;
  for (size_t index = 0; index < count; ++index) {
    const size_t start = cursor.position();
    LLMR_ASSIGN_OR_RETURN(std::string key, ReadKey(cursor, index));
    const std::string field = "metadata " + Quote(key);
    LLMR_ASSIGN_OR_RETURN(MetadataValue value, ReadValue(cursor, field));
    entries.push_back({.key = key, .offset = start, .size = cursor.position() - start});
    if (!metadata.try_emplace(std::move(key), std::move(value)).second) {
      return GgufInvalid(field + ": the key is there twice");
    }
  }
  return metadata;
}

}  // namespace llmr
