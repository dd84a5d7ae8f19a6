#include "gguf/tensor_table.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include "base/quote.h"
#include "gguf/names.h"

namespace llmr {
namespace {

static_assert(GGML_MAX_DIMS == 4);

Status ReadShape(GgufCursor& cursor, const std::string& field, TensorInfo& tensor) {
  LLMR_ASSIGN_OR_RETURN(const uint32_t dimensions, cursor.Read<uint32_t>(field));
  if (dimensions < 1 || dimensions > GGML_MAX_DIMS) {
    return GgufInvalid(field + ": number of dimensions is " + std::to_string(dimensions) +
                       "; allowed: 1 to " + std::to_string(GGML_MAX_DIMS));
  }
  tensor.dimensions = static_cast<int>(dimensions);
  tensor.shape.fill(1);
  for (uint32_t dimension = 0; dimension < dimensions; ++dimension) {
    LLMR_ASSIGN_OR_RETURN(const int64_t size, cursor.Read<int64_t>(field));
    if (size < 1) {
      return GgufInvalid(field + ": dimension " + std::to_string(dimension) + " is " +
                         std::to_string(size) + "; allowed: 1 and more");
    }
    tensor.shape[dimension] = size;
  }
  return Ok();
}

// ggml's numbering has holes where types were removed; those have a block size of zero.
Status ReadType(GgufCursor& cursor, const std::string& field, TensorInfo& tensor) {
  LLMR_ASSIGN_OR_RETURN(const uint32_t number, cursor.Read<uint32_t>(field));
  if (number >= GGML_TYPE_COUNT || ggml_blck_size(static_cast<ggml_type>(number)) == 0) {
    return GgufUnsupported(field + ": type is " + std::to_string(number) +
                           "; allowed: the types that ggml knows, below " +
                           std::to_string(static_cast<int>(GGML_TYPE_COUNT)));
  }
  tensor.type = static_cast<ggml_type>(number);
  const int64_t block = ggml_blck_size(tensor.type);
  if (tensor.shape[0] % block != 0) {
    return GgufInvalid(field + ": dimension 0 is " + std::to_string(tensor.shape[0]) +
                       "; allowed for type " + ggml_type_name(tensor.type) + ": multiples of " +
                       std::to_string(block));
  }
  return Ok();
}

// Bytes, where both they and the number of elements are representable.
Status ComputeSize(const std::string& field, TensorInfo& tensor) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t elements = 1;
  for (const int64_t dimension : tensor.shape) {
    if (elements > kMax / dimension) {
      return GgufInvalid(field + ": the product of its dimensions exceeds 2^63 - 1");
    }
    elements *= dimension;
  }
  const int64_t blocks = elements / ggml_blck_size(tensor.type);
  const auto block_size = static_cast<int64_t>(ggml_type_size(tensor.type));
  if (blocks > kMax / block_size) {
    return GgufInvalid(field + ": its size in bytes exceeds 2^63 - 1");
  }
  tensor.size = static_cast<size_t>(blocks * block_size);
  return Ok();
}

Result<TensorInfo> ReadTensor(GgufCursor& cursor, size_t index) {
  constexpr size_t kMaxNameLength = GGML_MAX_NAME - 1;
  TensorInfo tensor;
  std::string field = "tensor name " + std::to_string(index);
  LLMR_ASSIGN_OR_RETURN(const std::string_view name, cursor.ReadString(field, kMaxNameLength));
  LLMR_RETURN_IF_ERROR(CheckName(field, name, kMaxNameLength));
  tensor.name = std::string(name);
  field = "tensor " + Quote(name);
  LLMR_RETURN_IF_ERROR(ReadShape(cursor, field, tensor));
  LLMR_RETURN_IF_ERROR(ReadType(cursor, field, tensor));
  LLMR_RETURN_IF_ERROR(ComputeSize(field, tensor));
  LLMR_ASSIGN_OR_RETURN(tensor.offset, cursor.Read<uint64_t>(field));
  return tensor;
}

Status CheckUnique(const std::vector<TensorInfo>& tensors) {
  std::set<std::string_view> names;
  for (const TensorInfo& tensor : tensors) {
    if (!names.insert(tensor.name).second) {
      return GgufInvalid("tensor " + Quote(tensor.name) + ": the name is there twice");
    }
  }
  return Ok();
}

Status Place(TensorInfo& tensor, std::span<const std::byte> file, size_t data_start,
             size_t alignment) {
  const std::string field = "tensor " + Quote(tensor.name);
  if (tensor.offset % alignment != 0) {
    return GgufInvalid(field + ": offset is " + std::to_string(tensor.offset) +
                       "; allowed: multiples of the alignment " + std::to_string(alignment));
  }
  const size_t available = file.size() > data_start ? file.size() - data_start : 0;
  if (tensor.offset > available || tensor.size > available - tensor.offset) {
    return GgufTruncated(field + ": takes " + std::to_string(tensor.size) + " bytes at offset " +
                         std::to_string(tensor.offset) + ", but the file holds only " +
                         std::to_string(available) + " bytes of tensor data");
  }
  tensor.offset += data_start;
  tensor.data = file.data() + tensor.offset;
  return Ok();
}

// REQUIRES: every tensor lies inside the file, so that offset + size cannot overflow.
Status CheckDisjoint(const std::vector<TensorInfo>& tensors) {
  std::vector<const TensorInfo*> order;
  order.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) {
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(),
            [](const TensorInfo* a, const TensorInfo* b) { return a->offset < b->offset; });
  for (size_t index = 1; index < order.size(); ++index) {
    const TensorInfo& before = *order[index - 1];
    if (order[index]->offset < before.offset + before.size) {
      return GgufInvalid("tensor " + Quote(order[index]->name) + ": its data overlaps that of " +
                         Quote(before.name));
    }
  }
  return Ok();
}

}  // namespace

Result<std::vector<TensorInfo>> ReadTensorTable(GgufCursor& cursor, size_t count) {
  std::vector<TensorInfo> tensors;
  tensors.reserve(count);
  for (size_t index = 0; index < count; ++index) {
    LLMR_ASSIGN_OR_RETURN(TensorInfo tensor, ReadTensor(cursor, index));
    tensors.push_back(std::move(tensor));
  }
  LLMR_RETURN_IF_ERROR(CheckUnique(tensors));
  return tensors;
}

Status PlaceTensors(std::vector<TensorInfo>& tensors, std::span<const std::byte> file,
                    size_t data_start, size_t alignment) {
  for (TensorInfo& tensor : tensors) {
    LLMR_RETURN_IF_ERROR(Place(tensor, file, data_start, alignment));
  }
  return CheckDisjoint(tensors);
}

}  // namespace llmr
