#include "model/adapter.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/quote.h"

namespace llmr {
namespace {

constexpr std::string_view kInner = ".lora_a";
constexpr std::string_view kOuter = ".lora_b";
constexpr std::int64_t kMaxRank = 1 << 16;

Error Invalid(const std::string& message) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID", message};
}

Error Unsupported(const std::string& message) {
  return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED", message};
}

Status CheckText(const GgufFile& file, const std::string& key, std::string_view supported) {
  LLMR_ASSIGN_OR_RETURN(const std::string value, file.Get<std::string>(key));
  if (value != supported) {
    return Unsupported("metadata '" + key + "' is " + Quote(value) +
                       "; supported: " + std::string(supported));
  }
  return Ok();
}

Status CheckKind(const GgufFile& file, const std::string& architecture) {
  LLMR_RETURN_IF_ERROR(CheckText(file, "general.type", "adapter"));
  LLMR_RETURN_IF_ERROR(CheckText(file, "adapter.type", "lora"));
  LLMR_ASSIGN_OR_RETURN(const std::string own, file.Get<std::string>("general.architecture"));
  if (own != architecture) {
    return Invalid("metadata 'general.architecture' is " + Quote(own) +
                   "; allowed: " + architecture + ", as the model has it");
  }
  if (file.Find("adapter.alora.invocation_tokens") != nullptr) {
    return Unsupported(
        "metadata 'adapter.alora.invocation_tokens' is there; supported: adapters "
        "that act on all tokens");
  }
  return Ok();
}

// 0 where the file says nothing: then the rank takes no part, as in llama.cpp.
Result<float> ReadAlpha(const GgufFile& file) {
  constexpr const char* kKey = "adapter.lora.alpha";
  constexpr float kMost = 1e6F;
  LLMR_ASSIGN_OR_RETURN(const float alpha, file.GetOr<float>(kKey, 0.0F));
  if (!(alpha >= 0.0F && alpha <= kMost)) {  // NaN too
    return Invalid(std::string("metadata '") + kKey + "' is " + std::to_string(alpha) +
                   "; allowed: 0 to " + std::to_string(kMost));
  }
  return alpha;
}

// A linear map that can be adapted, and where it lies.
struct Target {
  Linear* linear;
  ggml_backend_dev_t device;
};
using Targets = std::map<std::string, Target, std::less<>>;  // by the names of their weights

void AddTarget(Targets& targets, Linear& linear, ggml_backend_dev_t device) {
  if (linear.weight != nullptr) {
    targets.emplace(ggml_get_name(linear.weight), Target{&linear, device});
  }
}

Targets TargetsOf(Weights& weights, const Placement& placement) {
  Targets targets;
  std::int32_t index = 0;
  for (LayerWeights& layer : weights.layers) {
    const ggml_backend_dev_t device = placement.Layer(index++);
    for (Linear* linear : {&layer.query, &layer.key, &layer.value, &layer.query_key_value,
                           &layer.attention_output, &layer.gate, &layer.up, &layer.down}) {
      AddTarget(targets, *linear, device);
    }
  }
  AddTarget(targets, weights.output, placement.Layer(index));
  return targets;
}

// The name of the map that a tensor adapts; none where it is no half of an adapter.
std::optional<std::string_view> MapOf(std::string_view tensor) {
  for (const std::string_view suffix : {kInner, kOuter}) {
    if (tensor.ends_with(suffix)) {
      return tensor.substr(0, tensor.size() - suffix.size());
    }
  }
  return std::nullopt;
}

Status CheckTensors(const GgufShards& shards, const Targets& targets) {
  if (shards.tensors().empty()) {
    return Invalid("there is no tensor; allowed: at least one pair of .lora_a and .lora_b");
  }
  for (const TensorInfo* tensor : shards.tensors()) {
    const std::optional<std::string_view> map = MapOf(tensor->name);
    if (!map) {
      return Unsupported("tensor " + Quote(tensor->name) + "; supported: .lora_a and .lora_b");
    }
    if (*map == kTokenEmbedding) {  // may be the output matrix too, which cannot change alone
      return Unsupported("tensor " + Quote(tensor->name) +
                         " adapts the token embedding; supported: linear maps");
    }
    if (!targets.contains(*map)) {
      return Invalid("tensor " + Quote(tensor->name) +
                     " adapts nothing: the model has no linear map " + Quote(*map));
    }
  }
  return Ok();
}

// Of both halves of the adapter of a map. 0: there is none.
Result<std::int64_t> RankOf(const GgufShards& shards, const std::string& map) {
  const std::string inner = map + std::string(kInner);
  const std::string outer = map + std::string(kOuter);
  const TensorInfo* const found = shards.FindTensor(inner);
  const bool complete = (found == nullptr) == (shards.FindTensor(outer) == nullptr);
  if (!complete) {
    return Invalid("tensor '" + (found == nullptr ? inner : outer) + "' is missing");
  }
  if (found == nullptr) {
    return 0;
  }
  if (found->shape[1] > kMaxRank) {
    return Invalid("tensor '" + inner + "' has a rank of " + std::to_string(found->shape[1]) +
                   "; allowed: 1 to " + std::to_string(kMaxRank));
  }
  return found->shape[1];
}

Result<WeightStore> Attach(const AdapterSource& source, const Hparams& hparams,
                           const Placement& placement, Weights& weights) {
  const GgufShards& shards = *source.shards;
  LLMR_RETURN_IF_ERROR(CheckKind(shards.first(), hparams.architecture));
  LLMR_ASSIGN_OR_RETURN(const float alpha, ReadAlpha(shards.first()));
  const Targets targets = TargetsOf(weights, placement);
  LLMR_RETURN_IF_ERROR(CheckTensors(shards, targets));
  WeightStore store(source.shards, placement.cpu());
  for (const auto& [map, target] : targets) {
    LLMR_ASSIGN_OR_RETURN(const std::int64_t rank, RankOf(shards, map));
    if (rank == 0) {
      continue;
    }
    const std::int64_t inputs = target.linear->weight->ne[0];
    const std::int64_t outputs = target.linear->weight->ne[1];
    LowRank added;
    LLMR_ASSIGN_OR_RETURN(added.inner,
                          store.Matrix(map + std::string(kInner), inputs, rank, target.device));
    LLMR_ASSIGN_OR_RETURN(added.outer,
                          store.Matrix(map + std::string(kOuter), rank, outputs, target.device));
    added.scale = alpha > 0.0F ? source.scale * alpha / static_cast<float>(rank) : source.scale;
    target.linear->adapters.push_back(added);
  }
  return store;
}

}  // namespace

Result<WeightStore> AttachAdapter(const AdapterSource& source, const Hparams& hparams,
                                  const Placement& placement, Weights& weights) {
  Result<WeightStore> store = Attach(source, hparams, placement, weights);
  if (store.ok()) {
    return store;
  }
  Error error = std::move(store).error();
  error.message = "adapter " + Quote(source.shards->first().path()) + ": " + error.message;
  return error;
}

}  // namespace llmr
