// Low-rank adapters (LoRA): what a file of its own adds to a model's linear maps.
#pragma once

#include <memory>

#include "base/status.h"
#include "gguf/gguf_shards.h"
#include "model/hparams.h"
#include "model/placement.h"
#include "model/weights.h"

namespace llmr {

// A file as llama.cpp's convert_lora_to_gguf.py writes it, and how much of it counts; a scale of 1
// is what the adapter was trained for.
struct AdapterSource {
  std::shared_ptr<const GgufShards> shards;
  float scale = 1.0F;
};

// Finds an adapter's tensors, "<map>.lora_a" [inputs, rank] and "<map>.lora_b" [rank, outputs], and
// adds them to the linear maps of `weights`. Returns the store that they lie in, to be loaded or
// planned. REQUIRES: no fault was collected in place of a weight. Errors, which name the file:
// FAILED_PRECONDITION / GGUF_INVALID for another architecture than the model's, an alpha out of
// range, tensors that belong to no map, lack their other half or have another shape;
// GGUF_MISSING_KEY, GGUF_WRONG_TYPE; UNIMPLEMENTED / MODEL_UNSUPPORTED for files that are no such
// adapter, and for tensors of embeddings.
Result<WeightStore> AttachAdapter(const AdapterSource& source, const Hparams& hparams,
                                  const Placement& placement, Weights& weights);

}  // namespace llmr
