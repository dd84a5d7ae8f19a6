#include "model/hparams_reader.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace llmr {
namespace {

Error InvalidKey(const std::string& key, const std::string& value, const std::string& allowed) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID",
               "metadata '" + key + "' is " + value + "; allowed: " + allowed};
}

// The one value of an array whose elements are all equal.
template <class T>
Result<std::int64_t> CommonElement(const std::string& key, const std::vector<T>& values) {
  const bool equal =
      !values.empty() && std::equal(values.begin() + 1, values.end(), values.begin());
  if (!equal) {
    return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED",
                 "metadata '" + key + "' differs between layers; supported: one value for all"};
  }
  if (!std::in_range<std::int64_t>(values.front())) {
    return InvalidKey(key, std::to_string(values.front()), "numbers below 2^63");
  }
  return static_cast<std::int64_t>(values.front());
}

}  // namespace

Result<std::int64_t> HparamsReader::ScalarOrCommon(const std::string& key) const {
  const MetadataValue* value = file_.Find(key);
  if (value == nullptr) {
    return file_.Get<std::int64_t>(key);  // its error names the missing key
  }
  return std::visit(
      [&](const auto& held) -> Result<std::int64_t> {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (requires { typename Held::value_type; }) {
          using Element = typename Held::value_type;
          if constexpr (std::is_integral_v<Element> && !std::is_same_v<Element, bool> &&
                        !std::is_same_v<Held, std::string>) {
            return CommonElement(key, held);
          }
        }
        return file_.Get<std::int64_t>(key);
      },
      *value);
}

Result<std::int32_t> HparamsReader::Count(std::string_view name, std::int64_t least,
                                          std::int64_t most) const {
  const std::string key = Key(name);
  LLMR_ASSIGN_OR_RETURN(const std::int64_t value, ScalarOrCommon(key));
  if (value < least || value > most) {
    return InvalidKey(key, std::to_string(value),
                      std::to_string(least) + " to " + std::to_string(most));
  }
  return static_cast<std::int32_t>(value);
}

Result<std::int32_t> HparamsReader::CountOr(std::string_view name, std::int32_t fallback,
                                            std::int64_t least, std::int64_t most) const {
  if (!Has(name)) {
    return fallback;
  }
  return Count(name, least, most);
}

Result<float> HparamsReader::Number(std::string_view name, float least, float most) const {
  const std::string key = Key(name);
  LLMR_ASSIGN_OR_RETURN(const float value, file_.Get<float>(key));
  if (!(value > least && value <= most)) {  // NaN too
    return InvalidKey(key, std::to_string(value),
                      "above " + std::to_string(least) + ", at most " + std::to_string(most));
  }
  return value;
}

Result<float> HparamsReader::NumberOr(std::string_view name, float fallback, float least,
                                      float most) const {
  if (!Has(name)) {
    return fallback;
  }
  return Number(name, least, most);
}

Result<std::string> HparamsReader::TextOr(std::string_view name, std::string fallback) const {
  return file_.GetOr<std::string>(Key(name), std::move(fallback));
}

Result<bool> HparamsReader::FlagOr(std::string_view name, bool fallback) const {
  return file_.GetOr<bool>(Key(name), fallback);
}

Error HparamsReader::Invalid(std::string_view name, const std::string& value,
                             const std::string& allowed) const {
  return InvalidKey(Key(name), value, allowed);
}

Error HparamsReader::Unsupported(std::string_view name, const std::string& value,
                                 const std::string& supported) const {
  return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED",
               "metadata '" + Key(name) + "' is " + value + "; supported: " + supported};
}

}  // namespace llmr
