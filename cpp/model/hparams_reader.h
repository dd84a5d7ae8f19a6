// Hyper-parameters in GGUF metadata: the keys of one architecture, each checked against its range.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "gguf/gguf_file.h"

namespace llmr {

// Reads keys below "<architecture>.". Keeps a reference to the file. Errors of all that read:
// FAILED_PRECONDITION / GGUF_MISSING_KEY, GGUF_WRONG_TYPE, or GGUF_INVALID naming key, value and
// what is allowed; UNIMPLEMENTED / MODEL_UNSUPPORTED where an array differs between layers.
class HparamsReader {
 public:
  HparamsReader(const GgufFile& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  std::string Key(std::string_view name) const { return prefix_ + std::string(name); }
  bool Has(std::string_view name) const { return file_.Find(Key(name)) != nullptr; }

  // An integer, or an array that says the same for each layer.
  Result<std::int32_t> Count(std::string_view name, std::int64_t least, std::int64_t most) const;
  Result<std::int32_t> CountOr(std::string_view name, std::int32_t fallback, std::int64_t least,
                               std::int64_t most) const;

  // A finite number above `least`, at most `most`.
  Result<float> Number(std::string_view name, float least, float most) const;
  Result<float> NumberOr(std::string_view name, float fallback, float least, float most) const;

  Result<std::string> TextOr(std::string_view name, std::string fallback) const;
  Result<bool> FlagOr(std::string_view name, bool fallback) const;

  // GGUF_INVALID: `name` is `value`.
  Error Invalid(std::string_view name, const std::string& value, const std::string& allowed) const;
  // MODEL_UNSUPPORTED: likewise.
  Error Unsupported(std::string_view name, const std::string& value,
                    const std::string& supported) const;

 private:
  Result<std::int64_t> ScalarOrCommon(const std::string& key) const;

  const GgufFile& file_;
  std::string prefix_;
};

}  // namespace llmr
