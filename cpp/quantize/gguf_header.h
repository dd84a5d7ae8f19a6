// The header of a quantised file: GGUF version 3, metadata and tensor table.
#pragma once

#include <span>
#include <string>

#include "gguf/gguf_file.h"
#include "quantize/file_type.h"
#include "quantize/planned_tensor.h"

namespace llmr {

// The bytes before the tensor data, padded to the source's alignment, which is the first file of
// the model. Metadata but for "split." is copied as bytes, so that every key, order, type and text
// is the source's: ggml's own writer takes C strings and would cut texts at a zero byte.
std::string BuildHeader(const GgufFile& source, const FileType& file_type,
                        std::span<const PlannedTensor> tensors);

}  // namespace llmr
