// The architectures that can be computed: one file and one line of the table each.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "gguf/gguf_shards.h"
#include "model/graph.h"
#include "model/hparams.h"
#include "model/placement.h"
#include "model/weights.h"

namespace llmr {

struct Architecture {
  std::string_view name;  // as general.architecture has it

  Result<Hparams> (*read_hparams)(const GgufShards& shards, const std::string& architecture);

  // Asks `store` for every tensor that build() uses.
  Result<Weights> (*find_weights)(WeightStore& store, const Hparams& hparams,
                                  const Placement& placement);

  // Adds the forward pass; returns the logits or null, as Model::Build() promises.
  ggml_tensor* (*build)(const GraphContext& graph, const Hparams& hparams, const Weights& weights,
                        const GraphInputs& inputs, const AttentionBuilder& attention);
};

extern const Architecture kLlama;  // llama.cc
extern const Architecture kGpt2;   // gpt2.cc

// Errors: UNIMPLEMENTED / MODEL_UNSUPPORTED, which names what is supported.
Result<const Architecture*> FindArchitecture(std::string_view name);

}  // namespace llmr
