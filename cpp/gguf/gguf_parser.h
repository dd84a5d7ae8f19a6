// Bytes in, checked contents out: the pure part of reading GGUF, which the fuzz target drives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "gguf/metadata_entry.h"
#include "gguf/metadata_value.h"
#include "gguf/tensor_info.h"

namespace llmr {

struct GgufContents {
  uint32_t version = 0;                // 2 or 3
  size_t alignment = 32;               // bytes; a power of two, 8 and more
  Metadata metadata;                   // owned
  std::vector<MetadataEntry> entries;  // of the metadata, in the file's order
  std::vector<TensorInfo>
      tensors;  // in the file's order; `data` points into the bytes that were parsed
};

// Header, metadata and tensor table together may take this many bytes; a vocabulary of 262144
// tokens takes about 16 MiB.
inline constexpr size_t kMaxGgufHeaderSize = size_t{128} << 20;

// Parses a little-endian GGUF file of version 2 or 3. Memory stays within a small multiple of the
// header's size. Errors, all FAILED_PRECONDITION: GGUF_TRUNCATED, GGUF_INVALID, GGUF_UNSUPPORTED;
// messages name the field, its value and what is allowed.
Result<GgufContents> ParseGguf(std::span<const std::byte> file);

}  // namespace llmr
