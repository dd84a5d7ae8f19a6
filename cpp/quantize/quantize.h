// From a GGUF file of floating-point weights to a smaller one.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"

namespace llmr {

// Told the tensor that is worked on and how much of the target is written, 0 to 1, in the calling
// thread; false gives up. May be empty.
using QuantizeProgress = std::function<bool(const std::string& tensor, double fraction)>;

struct QuantizeOptions {
  std::string type;      // "Q4_K_M": a name of file_type.h
  int threads = 0;       // 0: as many as the process may use
  bool replace = false;  // a file that is at the target already
  QuantizeProgress on_progress;
};

// Reads `source`, a file or the first of a sharded set, and writes `target`, which appears whole or
// not at all; the same bytes whatever the number of threads. Memory stays within some 32 MiB beside
// the source's mapping. Errors: INVALID_ARGUMENT / QUANTIZATION_UNKNOWN, THREADS, TARGET_IS_SOURCE;
// those of GgufShards::Open, PlanQuantization, QuantizeElements, CreateTarget and CommitTarget;
// FAILED_PRECONDITION / CANCELLED where progress said so; DATA_LOSS / MODEL_FILE_TRUNCATED where
// the source shrank meanwhile.
Status Quantize(const std::string& source, const std::string& target,
                const QuantizeOptions& options);

}  // namespace llmr
