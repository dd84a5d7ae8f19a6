// Any bytes are refused or give contents whose every promise holds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "gguf/gguf_parser.h"

namespace {

// Ends the process where a promise of tensor_info.h is broken.
void CheckTensor(const llmr::TensorInfo& tensor, std::span<const std::byte> file) {
  const bool inside = tensor.offset <= file.size() && tensor.size <= file.size() - tensor.offset;
  if (!inside || tensor.data != file.data() + tensor.offset || tensor.size == 0 ||
      tensor.shape[0] % ggml_blck_size(tensor.type) != 0) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const llmr::Result<llmr::GgufContents> contents = llmr::ParseGguf(file);
  if (!contents.ok()) {
    return 0;
  }
  volatile unsigned sum = 0;
  for (const llmr::TensorInfo& tensor : contents->tensors) {
    CheckTensor(tensor, file);
    sum = sum + static_cast<unsigned>(tensor.data[0]) +
          static_cast<unsigned>(tensor.data[tensor.size - 1]);
  }
  return 0;
}
