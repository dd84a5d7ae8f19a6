#include "quantize/tensor_mix.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "gguf/float_type.h"

namespace llmr {
namespace {

constexpr std::string_view kLayerPrefix = "blk.";

// The parts of a model that rules tell apart.
enum class Part {
  kOutput,
  kTokenEmbedding,
  kAttentionValue,
  kAttentionOutput,
  kDown,
  kFused,
  kOther
};

// A tensor's place: "blk.<layer>.<name>.weight", or "<name>.weight" outside the layers.
struct Place {
  std::int64_t layer = -1;  // -1: outside
  std::string_view name;    // without number and ".weight"
};

Place PlaceOf(std::string_view tensor) {
  constexpr std::string_view kSuffix = ".weight";
  if (tensor.ends_with(kSuffix)) {
    tensor.remove_suffix(kSuffix.size());
  }
  if (!tensor.starts_with(kLayerPrefix)) {
    return {.name = tensor};
  }
  std::int32_t layer = -1;
  const char* const end = tensor.data() + tensor.size();
  const auto [rest, error] = std::from_chars(tensor.data() + kLayerPrefix.size(), end, layer);
  if (error != std::errc() || layer < 0 || rest == end || *rest != '.') {
    return {.name = tensor};
  }
  return {.layer = layer, .name = {rest + 1, static_cast<size_t>(end - rest - 1)}};
}

Part PartOf(std::string_view name, const ModelShape& shape) {
  if (name == "output" || (name == "token_embd" && shape.output_is_tied)) {
    return Part::kOutput;
  }
  if (name == "token_embd") {
    return Part::kTokenEmbedding;
  }
  if (name == "attn_v") {
    return Part::kAttentionValue;
  }
  if (name == "attn_output") {
    return Part::kAttentionOutput;
  }
  if (name.starts_with("ffn_down")) {
    return Part::kDown;
  }
  return name == "attn_qkv" ? Part::kFused : Part::kOther;
}

// The layers where errors cost most: the first and the last eighth, and every third between.
bool IsSensitive(std::int64_t layer, std::int64_t layers) {
  const std::int64_t eighth = layers / 8;
  return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
}

ggml_type ValueType(const FileType& to, std::int64_t layer, const ModelShape& shape) {
  switch (to.base) {
    case GGML_TYPE_Q2_K:
      return shape.groups >= 4 ? GGML_TYPE_Q4_K : GGML_TYPE_Q3_K;
    case GGML_TYPE_Q3_K:
      if (to.mix == Mix::kLarge || (to.mix == Mix::kMedium && layer < 2)) {
        return GGML_TYPE_Q5_K;
      }
      return to.mix == Mix::kMedium ? GGML_TYPE_Q4_K : to.base;
    case GGML_TYPE_Q4_K:
      if (to.mix == Mix::kSmall) {
        return layer < 4 ? GGML_TYPE_Q5_K : to.base;
      }
      return IsSensitive(layer, shape.layers) ? GGML_TYPE_Q6_K : to.base;
    case GGML_TYPE_Q5_K:
      return to.mix == Mix::kMedium && IsSensitive(layer, shape.layers) ? GGML_TYPE_Q6_K : to.base;
    default:
      return to.base;
  }
}

// In models of 80 layers whose heads share keys and values, these matrices are an eighth as large
// as the queries': more bits for them cost next to nothing.
ggml_type WithoutRegret(ggml_type type, const ModelShape& shape) {
  const bool cheap = shape.layers == 80 && shape.groups > 1;
  return cheap && (type == GGML_TYPE_Q3_K || type == GGML_TYPE_Q4_K) ? GGML_TYPE_Q5_K : type;
}

ggml_type DownType(const FileType& to, std::int64_t layer, const ModelShape& shape) {
  switch (to.base) {
    case GGML_TYPE_Q2_K:
      return GGML_TYPE_Q3_K;
    case GGML_TYPE_Q3_K:
      if (to.mix == Mix::kLarge || (to.mix == Mix::kMedium && layer < shape.layers / 16)) {
        return GGML_TYPE_Q5_K;
      }
      return to.mix == Mix::kMedium ? GGML_TYPE_Q4_K : to.base;
    case GGML_TYPE_Q4_K:
      if (to.mix == Mix::kSmall) {
        return layer < shape.layers / 8 ? GGML_TYPE_Q5_K : to.base;
      }
      return IsSensitive(layer, shape.layers) ? GGML_TYPE_Q6_K : to.base;
    case GGML_TYPE_Q5_K:
      return to.mix == Mix::kMedium && IsSensitive(layer, shape.layers) ? GGML_TYPE_Q6_K : to.base;
    default:
      return to.base;
  }
}

ggml_type AttentionOutputType(const FileType& to) {
  if (to.base == GGML_TYPE_Q2_K) {
    return GGML_TYPE_Q3_K;
  }
  if (to.base != GGML_TYPE_Q3_K || to.mix == Mix::kSmall) {
    return to.base;
  }
  return to.mix == Mix::kLarge ? GGML_TYPE_Q5_K : GGML_TYPE_Q4_K;
}

ggml_type FusedAttentionType(const FileType& to) {
  if (to.mix == Mix::kNone || to.mix == Mix::kSmall) {
    return to.base;
  }
  switch (to.base) {
    case GGML_TYPE_Q3_K:
      return GGML_TYPE_Q4_K;
    case GGML_TYPE_Q4_K:
      return GGML_TYPE_Q5_K;
    default:
      return GGML_TYPE_Q6_K;
  }
}

ggml_type WantedType(const FileType& to, const Place& place, const ModelShape& shape) {
  switch (PartOf(place.name, shape)) {
    case Part::kOutput:
      return to.base == GGML_TYPE_Q8_0 ? to.base : GGML_TYPE_Q6_K;
    case Part::kAttentionValue:
      return WithoutRegret(ValueType(to, place.layer, shape), shape);
    case Part::kAttentionOutput:
      return AttentionOutputType(to);
    case Part::kDown:
      return DownType(to, place.layer, shape);
    case Part::kFused:
      return FusedAttentionType(to);
    case Part::kTokenEmbedding:
    case Part::kOther:
      return to.base;
  }
  return to.base;
}

// For columns that are no multiple of 256.
ggml_type StandIn(ggml_type type) {
  switch (type) {
    case GGML_TYPE_Q2_K:
    case GGML_TYPE_Q3_K:
      return GGML_TYPE_Q4_0;
    case GGML_TYPE_Q4_K:
      return GGML_TYPE_Q5_0;
    case GGML_TYPE_Q5_K:
      return GGML_TYPE_Q5_1;
    case GGML_TYPE_Q6_K:
      return GGML_TYPE_Q8_0;
    default:
      return type;
  }
}

bool Divides(ggml_type type, std::int64_t columns) { return columns % ggml_blck_size(type) == 0; }

// Small matrices by which much is decided: routers of experts, positions, convolutions.
bool IsDelicate(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"ffn_gate_inp", "position_embd",
                                                      "token_types", "ssm_conv1d"};
  return std::ranges::find(kNames, PlaceOf(name).name) != kNames.end();
}

bool IsNorm(std::string_view name) { return name.find("_norm") != std::string_view::npos; }

std::int64_t GroupsOf(const GgufShards& shards) {
  const TensorInfo* const queries = shards.FindTensor("blk.0.attn_q.weight");
  const TensorInfo* const values = shards.FindTensor("blk.0.attn_v.weight");
  return queries == nullptr || values == nullptr ? 1 : queries->shape[1] / values->shape[1];
}

}  // namespace

ModelShape ShapeOf(const GgufShards& shards) {
  ModelShape shape;
  for (const TensorInfo* tensor : shards.tensors()) {
    shape.layers = std::max(shape.layers, PlaceOf(tensor->name).layer + 1);
  }
  shape.groups = GroupsOf(shards);
  shape.output_is_tied = shards.FindTensor("output.weight") == nullptr;
  return shape;
}

bool IsQuantizable(const TensorInfo& tensor) {
  const bool matrix = tensor.shape[1] > 1 && tensor.name.ends_with(".weight");
  return matrix && IsFloatType(tensor.type) && !IsNorm(tensor.name) && !IsDelicate(tensor.name);
}

bool IsKeptAsFloats(const TensorInfo& tensor) {
  return IsFloatType(tensor.type) && (tensor.dimensions == 1 || IsNorm(tensor.name));
}

ggml_type TypeFor(const FileType& file_type, const TensorInfo& tensor, const ModelShape& shape) {
  if (file_type.base == GGML_TYPE_F16) {
    return GGML_TYPE_F16;
  }
  const ggml_type wanted = WantedType(file_type, PlaceOf(tensor.name), shape);
  for (const ggml_type type : {wanted, StandIn(wanted)}) {
    if (Divides(type, tensor.shape[0])) {
      return type;
    }
  }
  return GGML_TYPE_F16;
}

}  // namespace llmr
