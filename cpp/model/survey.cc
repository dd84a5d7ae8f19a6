#include "model/survey.h"

#include <ggml.h>

#include <string>
#include <utility>

#include "base/quote.h"
#include "model/architecture.h"
#include "model/ggml_log.h"
#include "model/tensor_types.h"
#include "model/weights.h"

namespace llmr {
namespace {

// Adapters, projectors and the like go by this key; files of models often lack it.
Status CheckIsModel(const GgufFile& file) {
  constexpr std::string_view kKey = "general.type";
  LLMR_ASSIGN_OR_RETURN(const std::string type, file.GetOr<std::string>(kKey, "model"));
  if (type != "model") {
    return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED",
                 "metadata '" + std::string(kKey) + "' is " + Quote(type) + "; supported: model"};
  }
  return Ok();
}

constexpr std::size_t kMostTypeFaults = 1000;  // a hostile file has millions of tensors

// Where nothing says which tensors are used: the types of all that may be matrices.
void CheckTypes(const GgufShards& shards, std::vector<Error>& faults) {
  for (const TensorInfo* tensor : shards.tensors()) {
    if (faults.size() >= kMostTypeFaults) {
      return;
    }
    if (tensor->dimensions > 1 && !IsWeightType(tensor->type)) {
      faults.push_back({ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED",
                        "tensor " + Quote(tensor->name) + " has type " +
                            ggml_type_name(tensor->type) + ", which nothing multiplies with"});
    }
  }
}

// Errors: what keeps the tensors from being looked for.
Status CheckTensors(const std::shared_ptr<const GgufShards>& shards, std::vector<Error>& faults) {
  LLMR_ASSIGN_OR_RETURN(const std::string name,
                        shards->first().Get<std::string>("general.architecture"));
  LLMR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(name));
  LLMR_ASSIGN_OR_RETURN(const Hparams hparams, architecture->read_hparams(*shards, name));
  const Placement placement = Placement::Choose(hparams.layers, 0);
  WeightStore store(shards, placement.cpu());
  store.CollectFaults(&faults);
  LLMR_ASSIGN_OR_RETURN(const Weights weights,
                        architecture->find_weights(store, hparams, placement));
  static_cast<void>(weights);
  return Ok();
}

}  // namespace

std::vector<Error> FindFaults(const std::shared_ptr<const GgufShards>& shards) {
  QuietGgmlLog();
  std::vector<Error> faults;
  if (Status model = CheckIsModel(shards->first()); !model.ok()) {
    return {std::move(model).error()};
  }
  if (Status checked = CheckTensors(shards, faults); !checked.ok()) {
    faults.push_back(std::move(checked).error());
    CheckTypes(*shards, faults);
  }
  return faults;
}

}  // namespace llmr
