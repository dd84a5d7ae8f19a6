#include "gguf/gguf_file.h"

#include "base/quote.h"
#include "gguf/gguf_cursor.h"

namespace llmr {
namespace {

std::string ScalarText(const MetadataValue& value) {
  return std::visit(
      [](const auto& scalar) -> std::string {
        using T = std::decay_t<decltype(scalar)>;
        if constexpr (std::is_arithmetic_v<T>) {
          return " " + std::to_string(scalar);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return " " + Quote(scalar);
        } else {
          return "";
        }
      },
      value);
}

}  // namespace

Result<std::shared_ptr<const GgufFile>> GgufFile::Open(const std::string& path) {
  LLMR_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  Result<GgufContents> contents = ParseGguf(file.bytes());
  if (file.damaged()) {
    return GgufTruncated("path " + Quote(path) + ": the file was cut short while it was read");
  }
  if (!contents.ok()) {
    Error error = std::move(contents).error();
    error.message = "path " + Quote(path) + ": " + error.message;
    return error;
  }
  return std::shared_ptr<const GgufFile>(
      new GgufFile(path, std::move(file), std::move(contents).value()));
}

GgufFile::GgufFile(std::string path, MappedFile file, GgufContents contents)
    : path_(std::move(path)), file_(std::move(file)), contents_(std::move(contents)) {
  for (const TensorInfo& tensor : contents_.tensors) {
    tensors_by_name_.emplace(tensor.name, &tensor);
  }
}

const TensorInfo* GgufFile::FindTensor(std::string_view name) const {
  const auto found = tensors_by_name_.find(name);
  return found == tensors_by_name_.end() ? nullptr : found->second;
}

const MetadataValue* GgufFile::Find(std::string_view key) const {
  const auto found = contents_.metadata.find(key);
  return found == contents_.metadata.end() ? nullptr : &found->second;
}

Result<const MetadataValue*> GgufFile::Require(std::string_view key) const {
  const MetadataValue* const value = Find(key);
  if (value == nullptr) {
    return Error{ErrorCode::kFailedPrecondition, "GGUF_MISSING_KEY",
                 "metadata " + Quote(key) + ": the file does not have it"};
  }
  return value;
}

Error GgufFile::WrongType(std::string_view key, const MetadataValue& value,
                          std::string_view wanted) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_WRONG_TYPE",
               "metadata " + Quote(key) + " is " + MetadataTypeName(value) + ScalarText(value) +
                   "; allowed: " + std::string(wanted)};
}

}  // namespace llmr
