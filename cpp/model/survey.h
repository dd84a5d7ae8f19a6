// What keeps a file from being run, all of it at once.
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "gguf/gguf_shards.h"

namespace llmr {

// Every reason for which Model::Load() would refuse the files, as far as they can be told together:
// a file that is no model, its architecture, its hyper-parameters (the first that is wrong), each
// tensor that is missing or has another shape or type than it should have; where the architecture
// is unknown, the first thousand tensors of types that cannot be used. Empty where there is none.
// Reads metadata and tensor table only, no weights.
std::vector<Error> FindFaults(const std::shared_ptr<const GgufShards>& shards);

}  // namespace llmr
