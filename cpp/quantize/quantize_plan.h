// What a quantised file will consist of, decided before anything is computed or written.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "gguf/gguf_shards.h"
#include "quantize/file_type.h"
#include "quantize/planned_tensor.h"

namespace llmr {

// Keeps the source mapped: the tensors point into it.
struct QuantizePlan {
  std::shared_ptr<const GgufShards> source;
  std::string header;                  // bytes of the target, up to its tensor data
  std::vector<PlannedTensor> tensors;  // in the source's order
  std::size_t size = 0;                // bytes of the whole target
};

// Checks the source and lays out the target, one file whatever the source. Its metadata is the
// source's, in order and bytes; only general.file_type and general.quantization_version are set, in
// their places or at the end, and the keys of a sharded set are left out.
// Errors, FAILED_PRECONDITION: QUANTIZE_SOURCE where the source has no tensors or is quantised
// already (named with the tensor).
Result<QuantizePlan> PlanQuantization(std::shared_ptr<const GgufShards> source,
                                      const FileType& file_type);

}  // namespace llmr
