// Reads little-endian values from bytes that nobody vouches for.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"

namespace llmr {

static_assert(std::endian::native == std::endian::little, "GGUF is read without swapping bytes");

// A position in a span of bytes; every read is checked against its end. Each read names the field
// for the message. Errors: FAILED_PRECONDITION / GGUF_TRUNCATED where the bytes end first,
// GGUF_INVALID where a length lies.
class GgufCursor {
 public:
  explicit GgufCursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }

  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  Result<T> Read(std::string_view field) {
    LLMR_ASSIGN_OR_RETURN(const std::byte* data, Take(sizeof(T), field));
    T value;
    std::memcpy(&value, data, sizeof(T));
    return value;
  }

  // One byte, 0 or 1.
  Result<bool> ReadBool(std::string_view field);

  // A length (u64) and that many bytes, at most `max_length`. The view points into the span.
  Result<std::string_view> ReadString(std::string_view field, size_t max_length);

  // A count (u64) of things of which each takes at least `min_size` bytes: no more than the rest of
  // the span can hold.
  Result<size_t> ReadCount(std::string_view field, size_t min_size);

  // Goes past `size` bytes and returns where they start.
  Result<const std::byte*> Take(size_t size, std::string_view field);

 private:
  std::span<const std::byte> bytes_;
  size_t position_ = 0;
};

// The errors of everything that reads GGUF.
Error GgufInvalid(std::string message);
Error GgufTruncated(std::string message);
Error GgufUnsupported(std::string message);

}  // namespace llmr
