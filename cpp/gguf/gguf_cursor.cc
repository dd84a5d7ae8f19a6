#include "gguf/gguf_cursor.h"

#include <utility>

namespace llmr {

Error GgufInvalid(std::string message) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID", std::move(message)};
}

Error GgufTruncated(std::string message) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_TRUNCATED", std::move(message)};
}

Error GgufUnsupported(std::string message) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_UNSUPPORTED", std::move(message)};
}

Result<const std::byte*> GgufCursor::Take(size_t size, std::string_view field) {
  if (size > remaining()) {
    return GgufTruncated(std::string(field) + ": needs " + std::to_string(size) +
                         " bytes at offset " + std::to_string(position_) + ", but only " +
                         std::to_string(remaining()) + " are left");
  }
  const std::byte* const data = bytes_.data() + position_;
  position_ += size;
  return data;
}

Result<bool> GgufCursor::ReadBool(std::string_view field) {
  LLMR_ASSIGN_OR_RETURN(const uint8_t value, Read<uint8_t>(field));
  if (value > 1) {
    return GgufInvalid(std::string(field) + ": a bool is " + std::to_string(value) +
                       "; allowed: 0, 1");
  }
  return value == 1;
}

Result<std::string_view> GgufCursor::ReadString(std::string_view field, size_t max_length) {
  LLMR_ASSIGN_OR_RETURN(const uint64_t length, Read<uint64_t>(field));
  if (length > max_length) {
    return GgufInvalid(std::string(field) + ": length is " + std::to_string(length) +
                       " bytes; allowed: at most " + std::to_string(max_length));
  }
  LLMR_ASSIGN_OR_RETURN(const std::byte* data, Take(static_cast<size_t>(length), field));
  return std::string_view(reinterpret_cast<const char*>(data), static_cast<size_t>(length));
}

Result<size_t> GgufCursor::ReadCount(std::string_view field, size_t min_size) {
  LLMR_ASSIGN_OR_RETURN(const uint64_t count, Read<uint64_t>(field));
  const size_t most = remaining() / min_size;
  if (count > most) {
    return GgufInvalid(std::string(field) + ": count is " + std::to_string(count) +
                       "; the bytes that are left hold at most " + std::to_string(most));
  }
  return static_cast<size_t>(count);
}

}  // namespace llmr
