// Which type each tensor of a quantised file gets. The rules are those by which llama.cpp makes the
// files that go by these names, for models without experts.
#pragma once

#include <ggml.h>

#include <cstdint>

#include "gguf/gguf_shards.h"
#include "gguf/tensor_info.h"
#include "quantize/file_type.h"

namespace llmr {

// What the rules ask of a model. Derived from its tensors, so that it holds whatever metadata says.
struct ModelShape {
  std::int64_t layers = 0;      // one more than the highest number behind "blk."
  std::int64_t groups = 1;      // query heads that share a key and value head
  bool output_is_tied = false;  // there is no output.weight: the token embedding stands for it
};

ModelShape ShapeOf(const GgufShards& shards);

// True for a matrix of weights in a floating-point type, but for norms and for small ones by which
// much is decided (routers of experts, positions, convolutions). What is neither this nor kept as
// floats is stored as it is.
bool IsQuantizable(const TensorInfo& tensor);

// True for what becomes F32: vectors, and norms of any shape, in a floating-point type.
bool IsKeptAsFloats(const TensorInfo& tensor);

// The type of a matrix. Where its columns are no multiple of the block that this type has, a type
// with blocks of 32 stands in (Q2_K, Q3_K: Q4_0; Q4_K: Q5_0; Q5_K: Q5_1; Q6_K: Q8_0), and where
// they are no multiple of that either, F16. REQUIRES: IsQuantizable(tensor).
ggml_type TypeFor(const FileType& file_type, const TensorInfo& tensor, const ModelShape& shape);

}  // namespace llmr
