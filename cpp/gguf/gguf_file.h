// A GGUF file, mapped and checked.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/mapped_file.h"
#include "base/status.h"
#include "gguf/gguf_parser.h"
#include "gguf/metadata_value.h"
#include "gguf/tensor_info.h"

namespace llmr {

// Immutable once opened, so any number of threads may use it. Tensor data points into the mapping
// and lives as long as this object: whoever keeps a pointer keeps the shared_ptr. Metadata is
// copied, tensor data is not: a writer of the file can change it under our hands, and cutting the
// file short makes it read as zeros (see damaged()).
class GgufFile {
 public:
  // Errors: those of MappedFile::Open (FILE_NOT_FOUND, FILE_UNREADABLE, …) and of ParseGguf
  // (GGUF_…).
  static Result<std::shared_ptr<const GgufFile>> Open(const std::string& path);

  GgufFile(const GgufFile&) = delete;
  GgufFile& operator=(const GgufFile&) = delete;

  const std::string& path() const { return path_; }
  uint32_t version() const { return contents_.version; }
  size_t alignment() const { return contents_.alignment; }  // bytes; may be less than ggml's 32
  size_t size() const { return file_.size(); }              // bytes
  const Metadata& metadata() const { return contents_.metadata; }
  // Where the metadata lies in bytes(), in the file's order.
  const std::vector<MetadataEntry>& entries() const { return contents_.entries; }
  const std::vector<TensorInfo>& tensors() const { return contents_.tensors; }

  // Everything mapped, page-aligned: tensors()[i].data lies in here.
  std::span<const std::byte> bytes() const { return file_.bytes(); }

  // True once a part of the file could not be read any more (it was cut short while mapped): treat
  // what was computed since as lost. Cheap: one atomic load.
  bool damaged() const { return file_.damaged(); }

  // Null where there is no such tensor, or no such key.
  const TensorInfo* FindTensor(std::string_view name) const;
  const MetadataValue* Find(std::string_view key) const;

  // The value of a key as T: bool, std::string, an integer or a floating-point type. Any integer
  // type of the file will do where the value fits into T, and either floating-point type for
  // either. Errors, FAILED_PRECONDITION: GGUF_MISSING_KEY; GGUF_WRONG_TYPE (also a number that does
  // not fit).
  template <class T>
  Result<T> Get(std::string_view key) const;

  // Likewise, with `fallback` where there is no such key.
  template <class T>
  Result<T> GetOr(std::string_view key, T fallback) const;

  // The array at a key, whose elements have exactly the type T in the file. Lives as long as this
  // object. Errors: as Get().
  template <class T>
  Result<const std::vector<T>*> GetArray(std::string_view key) const;

 private:
  GgufFile(std::string path, MappedFile file, GgufContents contents);

  Result<const MetadataValue*> Require(std::string_view key) const;
  static Error WrongType(std::string_view key, const MetadataValue& value, std::string_view wanted);

  std::string path_;
  MappedFile file_;
  GgufContents contents_;
  std::map<std::string_view, const TensorInfo*> tensors_by_name_;  // into contents_
};

namespace gguf_internal {

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

// True and *out set where a scalar of the file can stand for a T.
template <class T, class U>
bool Convert(const U& value, T* out) {
  if constexpr (std::is_same_v<T, U>) {
    *out = value;
    return true;
  } else if constexpr (Integer<T> && Integer<U>) {
    *out = static_cast<T>(value);
    return std::in_range<T>(value);
  } else if constexpr (std::floating_point<T> && std::floating_point<U>) {
    *out = static_cast<T>(value);
    return true;
  } else {
    return false;
  }
}

template <class T>
constexpr std::string_view TypeName() {
  if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "str";
  } else if constexpr (std::floating_point<T>) {
    return "a floating-point number";
  } else if constexpr (std::is_signed_v<T>) {
    return "an integer in range";
  } else {
    return "a non-negative integer in range";
  }
}

}  // namespace gguf_internal

template <class T>
Result<T> GgufFile::Get(std::string_view key) const {
  LLMR_ASSIGN_OR_RETURN(const MetadataValue* value, Require(key));
  T out{};
  const bool converted =
      std::visit([&](const auto& scalar) { return gguf_internal::Convert(scalar, &out); }, *value);
  if (!converted) {
    return WrongType(key, *value, gguf_internal::TypeName<T>());
  }
  return out;
}

template <class T>
Result<T> GgufFile::GetOr(std::string_view key, T fallback) const {
  if (Find(key) == nullptr) {
    return fallback;
  }
  return Get<T>(key);
}

template <class T>
Result<const std::vector<T>*> GgufFile::GetArray(std::string_view key) const {
  LLMR_ASSIGN_OR_RETURN(const MetadataValue* value, Require(key));
  const auto* const array = std::get_if<std::vector<T>>(value);
  if (array == nullptr) {
    return WrongType(key, *value, MetadataTypeName(MetadataValue(std::vector<T>{})));
  }
  return array;
}

}  // namespace llmr
