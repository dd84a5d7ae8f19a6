#include "gguf/gguf_parser.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "base/quote.h"
#include "base/round_up.h"
#include "gguf/gguf_cursor.h"
#include "gguf/metadata_reader.h"
#include "gguf/tensor_table.h"

namespace llmr {
namespace {

constexpr std::string_view kAlignmentKey = "general.alignment";
constexpr size_t kMinAlignment = 8;
constexpr size_t kMaxAlignment = size_t{1} << 20;

Status CheckMagic(GgufCursor& cursor) {
  LLMR_ASSIGN_OR_RETURN(const std::byte* data, cursor.Take(4, "magic"));
  const std::string_view magic(reinterpret_cast<const char*>(data), 4);
  if (magic != "GGUF") {
    return GgufInvalid("magic is " + Quote(magic) + "; a GGUF file starts with 'GGUF'");
  }
  return Ok();
}

Result<uint32_t> ReadVersion(GgufCursor& cursor) {
  LLMR_ASSIGN_OR_RETURN(const uint32_t version, cursor.Read<uint32_t>("version"));
  if (version == 2 || version == 3) {
    return version;
  }
  if ((version & 0xffff) == 0 && version != 0) {
    return GgufUnsupported("byte order is big-endian; allowed: little-endian");
  }
  return GgufUnsupported("version is " + std::to_string(version) + "; allowed: 2, 3");
}

Result<size_t> FindAlignment(const Metadata& metadata) {
  const auto found = metadata.find(kAlignmentKey);
  if (found == metadata.end()) {
    return size_t{32};
  }
  const std::string field = "metadata " + Quote(kAlignmentKey);
  const uint32_t* const alignment = std::get_if<uint32_t>(&found->second);
  if (alignment == nullptr) {
    return GgufInvalid(field + ": type is " + MetadataTypeName(found->second) + "; allowed: u32");
  }
  if (!std::has_single_bit(*alignment) || *alignment < kMinAlignment ||
      *alignment > kMaxAlignment) {
    return GgufInvalid(field + " is " + std::to_string(*alignment) +
                       "; allowed: powers of two from " + std::to_string(kMinAlignment) + " to " +
                       std::to_string(kMaxAlignment));
  }
  return size_t{*alignment};
}

Result<GgufContents> ParseHeader(GgufCursor& cursor) {
  GgufContents contents;
  LLMR_RETURN_IF_ERROR(CheckMagic(cursor));
  LLMR_ASSIGN_OR_RETURN(contents.version, ReadVersion(cursor));
  LLMR_ASSIGN_OR_RETURN(const size_t tensors,
                        cursor.ReadCount("number of tensors", kMinTensorEntrySize));
  LLMR_ASSIGN_OR_RETURN(const size_t entries,
                        cursor.ReadCount("number of metadata entries", kMinMetadataEntrySize));
  LLMR_ASSIGN_OR_RETURN(contents.metadata, ReadMetadata(cursor, entries, contents.entries));
  LLMR_ASSIGN_OR_RETURN(contents.alignment, FindAlignment(contents.metadata));
  if (tensors > cursor.remaining() / kMinTensorEntrySize) {
    return GgufInvalid("number of tensors is " + std::to_string(tensors) +
                       "; the bytes that are left hold at most " +
                       std::to_string(cursor.remaining() / kMinTensorEntrySize));
  }
  LLMR_ASSIGN_OR_RETURN(contents.tensors, ReadTensorTable(cursor, tensors));
  return contents;
}

}  // namespace

Result<GgufContents> ParseGguf(std::span<const std::byte> file) {
  GgufCursor cursor(file.first(std::min(file.size(), kMaxGgufHeaderSize)));
  Result<GgufContents> parsed = ParseHeader(cursor);
  if (!parsed.ok() && parsed.error().reason == "GGUF_TRUNCATED" &&
      file.size() > kMaxGgufHeaderSize) {
    return GgufUnsupported("metadata and tensor table take more than " +
                           std::to_string(kMaxGgufHeaderSize) + " bytes, the most that is allowed");
  }
  LLMR_ASSIGN_OR_RETURN(GgufContents contents, std::move(parsed));
  const size_t data_start = RoundUp(cursor.position(), contents.alignment);
  LLMR_RETURN_IF_ERROR(PlaceTensors(contents.tensors, file, data_start, contents.alignment));
  return contents;
}

}  // namespace llmr
