// The metadata section of a GGUF file.
#pragma once

#include <cstddef>
#include <vector>

#include "base/status.h"
#include "gguf/gguf_cursor.h"
#include "gguf/metadata_entry.h"
#include "gguf/metadata_value.h"

namespace llmr {

// The fewest bytes that a key with its value can take: key length, one byte of key, type, one byte
// of value.
inline constexpr size_t kMinMetadataEntrySize = 8 + 1 + 4 + 1;

// Reads `count` keys and values, and adds to `entries` where each of them lies. Errors:
// GGUF_TRUNCATED, GGUF_INVALID (a bad key, one that is there twice, an unknown type, a count or
// length that lies), GGUF_UNSUPPORTED (arrays of arrays); all FAILED_PRECONDITION.
Result<Metadata> ReadMetadata(GgufCursor& cursor, size_t count,
                              std::vector<MetadataEntry>& entries);

}  // namespace llmr
