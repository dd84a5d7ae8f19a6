// The tensor table of a GGUF file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "gguf/gguf_cursor.h"
#include "gguf/tensor_info.h"

namespace llmr {

// The fewest bytes that a line of the table can take: name length, one byte of name, dimensions,
// one size, type, offset.
inline constexpr size_t kMinTensorEntrySize = 8 + 1 + 4 + 8 + 4 + 8;

// Reads `count` lines. Their offsets still count from the start of the data section and `data` is
// null: PlaceTensors() follows. Errors: FAILED_PRECONDITION / GGUF_TRUNCATED, GGUF_INVALID (names,
// dimensions, sizes), GGUF_UNSUPPORTED (a type that ggml does not know).
Result<std::vector<TensorInfo>> ReadTensorTable(GgufCursor& cursor, size_t count);

// Turns offsets into positions in `file`, fills in `data`, and checks that every tensor is aligned,
// lies inside the file and overlaps no other. REQUIRES: `alignment` is a power of two; data_start
// is a multiple of it. Errors: FAILED_PRECONDITION / GGUF_TRUNCATED, GGUF_INVALID.
Status PlaceTensors(std::vector<TensorInfo>& tensors, std::span<const std::byte> file,
                    size_t data_start, size_t alignment);

}  // namespace llmr
