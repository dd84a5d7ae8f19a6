#include "model/hparams.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "kernels/paged_attention.h"

namespace llmr {
namespace {

constexpr std::int64_t kMaxWidth = 1 << 20;  // no model is near; products of two fit in 64 bits

Error Invalid(const std::string& key, const std::string& value, const std::string& allowed) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID",
               "metadata '" + key + "' is " + value + "; allowed: " + allowed};
}

Error Unsupported(const std::string& message) {
  return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED", message};
}

// The one value of an array whose elements are all equal.
template <class T>
Result<std::int64_t> CommonElement(const std::string& key, const std::vector<T>& values) {
  const bool equal =
      !values.empty() && std::equal(values.begin() + 1, values.end(), values.begin());
  if (!equal) {
    return Unsupported("metadata '" + key +
                       "' differs between layers; supported: one value for all");
  }
  if (!std::in_range<std::int64_t>(values.front())) {
    return Invalid(key, std::to_string(values.front()), "numbers below 2^63");
  }
  return static_cast<std::int64_t>(values.front());
}

// Reads keys below "<architecture>." and checks each against its range.
class Reader {
 public:
  Reader(const GgufFile& file, std::string_view architecture)
      : file_(file), prefix_(std::string(architecture) + ".") {}

  std::string Key(std::string_view name) const { return prefix_ + std::string(name); }
  bool Has(std::string_view name) const { return file_.Find(Key(name)) != nullptr; }

  // An integer, or an array that says the same for each layer.
  Result<std::int32_t> Count(std::string_view name, std::int64_t least, std::int64_t most) const {
    const std::string key = Key(name);
    LLMR_ASSIGN_OR_RETURN(const std::int64_t value, ScalarOrCommon(key));
    if (value < least || value > most) {
      return Invalid(key, std::to_string(value),
                     std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<std::int32_t>(value);
  }

  Result<std::int32_t> CountOr(std::string_view name, std::int32_t fallback, std::int64_t least,
                               std::int64_t most) const {
    if (!Has(name)) {
      return fallback;
    }
    return Count(name, least, most);
  }

  // A finite number above `least`, at most `most`.
  Result<float> Number(std::string_view name, float least, float most) const {
    const std::string key = Key(name);
    LLMR_ASSIGN_OR_RETURN(const float value, file_.Get<float>(key));
    if (!(value > least && value <= most)) {  // NaN too
      return Invalid(key, std::to_string(value),
                     "above " + std::to_string(least) + ", at most " + std::to_string(most));
    }
    return value;
  }

  Result<float> NumberOr(std::string_view name, float fallback, float least, float most) const {
    if (!Has(name)) {
      return fallback;
    }
    return Number(name, least, most);
  }

  Result<std::string> TextOr(std::string_view name, std::string fallback) const {
    return file_.GetOr<std::string>(Key(name), std::move(fallback));
  }

  Result<bool> FlagOr(std::string_view name, bool fallback) const {
    return file_.GetOr<bool>(Key(name), fallback);
  }

 private:
  Result<std::int64_t> ScalarOrCommon(const std::string& key) const {
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

  const GgufFile& file_;
  std::string prefix_;
};

Status ReadHeads(const Reader& reader, Hparams& hparams) {
  LLMR_ASSIGN_OR_RETURN(hparams.heads, reader.Count("attention.head_count", 1, kMaxWidth));
  LLMR_ASSIGN_OR_RETURN(hparams.kv_heads,
                        reader.CountOr("attention.head_count_kv", hparams.heads, 1, kMaxWidth));
  if (hparams.heads % hparams.kv_heads != 0) {
    return Invalid(reader.Key("attention.head_count_kv"), std::to_string(hparams.kv_heads),
                   "divisors of the head count " + std::to_string(hparams.heads));
  }
  const bool derived = !reader.Has("attention.key_length");
  if (derived && hparams.embedding % hparams.heads != 0) {
    return Invalid(reader.Key("attention.head_count"), std::to_string(hparams.heads),
                   "divisors of the embedding length " + std::to_string(hparams.embedding));
  }
  LLMR_ASSIGN_OR_RETURN(
      hparams.head_dim,
      reader.CountOr("attention.key_length", hparams.embedding / hparams.heads, 1, kMaxHeadDim));
  if (hparams.head_dim > kMaxHeadDim) {
    return Invalid(reader.Key("attention.head_count"), std::to_string(hparams.heads),
                   "a head dimension of at most " + std::to_string(kMaxHeadDim) + ", not " +
                       std::to_string(hparams.head_dim));
  }
  LLMR_ASSIGN_OR_RETURN(const std::int32_t value_length,
                        reader.CountOr("attention.value_length", hparams.head_dim, 1, kMaxWidth));
  if (value_length != hparams.head_dim) {
    return Unsupported("metadata '" + reader.Key("attention.value_length") + "' is " +
                       std::to_string(value_length) + "; supported: the key length " +
                       std::to_string(hparams.head_dim));
  }
  if (std::int64_t{hparams.heads} * hparams.head_dim > kMaxWidth) {
    return Invalid(reader.Key("attention.head_count"), std::to_string(hparams.heads),
                   "heads × head dimension up to " + std::to_string(kMaxWidth));
  }
  return Ok();
}

Result<RopeScaling> ReadRopeScaling(const Reader& reader) {
  constexpr std::string_view kKey = "rope.scaling.type";
  // Files from before that key was there scale linearly by another one.
  const std::string legacy = reader.Has("rope.scale_linear") ? "linear" : "none";
  LLMR_ASSIGN_OR_RETURN(const std::string type, reader.TextOr(kKey, legacy));
  if (type == "none") {
    return RopeScaling::kNone;
  }
  if (type == "linear") {
    return RopeScaling::kLinear;
  }
  if (type == "yarn") {
    return RopeScaling::kYarn;
  }
  return Unsupported("metadata '" + reader.Key(kKey) + "' is " + Quote(type) +
                     "; supported: none, linear, yarn");
}

Status ReadYarn(const Reader& reader, RopeHparams& rope) {
  constexpr float kMost = 1e6F;
  LLMR_ASSIGN_OR_RETURN(rope.attention_factor,
                        reader.NumberOr("rope.scaling.attn_factor", 1.0F, 0.0F, kMost));
  LLMR_ASSIGN_OR_RETURN(rope.beta_fast,
                        reader.NumberOr("rope.scaling.yarn_beta_fast", 32.0F, 0.0F, kMost));
  LLMR_ASSIGN_OR_RETURN(rope.beta_slow,
                        reader.NumberOr("rope.scaling.yarn_beta_slow", 1.0F, 0.0F, kMost));
  return Ok();
}

Status ReadRope(const Reader& reader, Hparams& hparams) {
  RopeHparams& rope = hparams.rope;
  LLMR_ASSIGN_OR_RETURN(rope.dimensions, reader.CountOr("rope.dimension_count", hparams.head_dim, 2,
                                                        hparams.head_dim));
  if (rope.dimensions % 2 != 0) {
    return Invalid(reader.Key("rope.dimension_count"), std::to_string(rope.dimensions),
                   "even numbers up to the head dimension " + std::to_string(hparams.head_dim));
  }
  LLMR_ASSIGN_OR_RETURN(rope.base, reader.NumberOr("rope.freq_base", 10000.0F, 1.0F, 1e12F));
  LLMR_ASSIGN_OR_RETURN(rope.scaling, ReadRopeScaling(reader));
  LLMR_ASSIGN_OR_RETURN(
      rope.original_context,
      reader.CountOr("rope.scaling.original_context_length", hparams.context_length, 1,
                     std::numeric_limits<std::int32_t>::max()));
  if (rope.scaling == RopeScaling::kNone) {
    return Ok();
  }
  const char* key = reader.Has("rope.scaling.factor") ? "rope.scaling.factor" : "rope.scale_linear";
  LLMR_ASSIGN_OR_RETURN(rope.factor, reader.NumberOr(key, 1.0F, 0.0F, 1e6F));
  return rope.scaling == RopeScaling::kYarn ? ReadYarn(reader, rope) : Ok();
}

// Variants that share the architecture's name but need another graph.
Status RefuseVariants(const Reader& reader) {
  LLMR_ASSIGN_OR_RETURN(const std::int32_t experts,
                        reader.CountOr("expert_count", 0, 0, kMaxWidth));
  if (experts > 0) {
    return Unsupported("metadata '" + reader.Key("expert_count") + "' is " +
                       std::to_string(experts) + "; supported: models without experts");
  }
  LLMR_ASSIGN_OR_RETURN(const bool causal, reader.FlagOr("attention.causal", true));
  if (!causal) {
    return Unsupported("metadata '" + reader.Key("attention.causal") +
                       "' is false; supported: causal attention");
  }
  return Ok();
}

}  // namespace

Result<Hparams> ReadHparams(const GgufShards& shards, const std::string& architecture) {
  const Reader reader(shards.first(), architecture);
  LLMR_RETURN_IF_ERROR(RefuseVariants(reader));
  Hparams hparams;
  hparams.architecture = architecture;
  LLMR_ASSIGN_OR_RETURN(hparams.layers, reader.Count("block_count", 1, 1024));
  LLMR_ASSIGN_OR_RETURN(hparams.embedding, reader.Count("embedding_length", 1, kMaxWidth));
  LLMR_ASSIGN_OR_RETURN(hparams.feed_forward, reader.Count("feed_forward_length", 1, kMaxWidth));
  LLMR_ASSIGN_OR_RETURN(hparams.context_length,
                        reader.Count("context_length", 1, std::int64_t{1} << 30));
  LLMR_ASSIGN_OR_RETURN(hparams.norm_epsilon,
                        reader.Number("attention.layer_norm_rms_epsilon", 0.0F, 1.0F));
  LLMR_RETURN_IF_ERROR(ReadHeads(reader, hparams));
  LLMR_RETURN_IF_ERROR(ReadRope(reader, hparams));

  constexpr const char* kEmbedding = "token_embd.weight";
  const TensorInfo* embedding = shards.FindTensor(kEmbedding);
  if (embedding == nullptr) {
    return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID",
                 std::string("tensor '") + kEmbedding + "' is missing"};
  }
  constexpr std::int64_t kMaxVocabulary = 1 << 24;
  if (embedding->shape[1] > kMaxVocabulary) {
    return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID",
                 std::string("tensor '") + kEmbedding + "' has " +
                     std::to_string(embedding->shape[1]) + " rows; allowed: 1 to " +
                     std::to_string(kMaxVocabulary)};
  }
  hparams.vocabulary = static_cast<std::int32_t>(embedding->shape[1]);
  return hparams;
}

}  // namespace llmr
