#include "model/weights.h"

#include <ggml-alloc.h>
#include <ggml-cpu.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "gguf/float_type.h"
#include "model/tensor_types.h"

namespace llmr {
namespace {

constexpr std::uintptr_t kGgmlAlignment = 32;  // of tensor data; ggml asserts it

// What a context has room for: the deepest model asks for fewer. A set of files may hold millions,
// which take a tenth of that room there, and ggml aborts where it gets none.
constexpr std::size_t kMostTensors = 1 << 15;

Error Invalid(const std::string& message) {
  return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID", message};
}

std::string ShapeText(const std::array<std::int64_t, 4>& shape, int dimensions) {
  std::string text = "[";
  for (int i = 0; i < dimensions; ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(shape[static_cast<std::size_t>(i)]);
  }
  return text + "]";
}

Error UnsupportedType(const TensorInfo& info, const std::string& supported) {
  return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED",
               "tensor '" + info.name + "' has type " + ggml_type_name(info.type) +
                   "; supported: " + supported};
}

std::string WeightTypeNames() {
  std::string names;
  for (const ggml_type type : WeightTypes()) {
    names += (names.empty() ? "" : ", ") + std::string(ggml_type_name(type));
  }
  return names;
}

bool Aligned(const std::byte* data) {
  return reinterpret_cast<std::uintptr_t>(data) % kGgmlAlignment == 0;
}

// A floating-point tensor's elements as F32.
std::vector<float> ToFloats(const TensorInfo& info) {
  std::vector<float> values(info.size / ggml_type_size(info.type));
  if (info.type == GGML_TYPE_F32) {
    std::memcpy(values.data(), info.data, info.size);
    return values;
  }
  std::vector<std::uint16_t> halves(values.size());
  std::memcpy(halves.data(), info.data, info.size);
  ggml_get_type_traits(info.type)->to_float(halves.data(), values.data(),
                                            static_cast<std::int64_t>(values.size()));
  return values;
}

Error OutOfMemory(const std::string& what, ggml_backend_dev_t device) {
  return Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
               "no memory for " + what + " on " + ggml_backend_dev_name(device)};
}

}  // namespace

WeightStore::WeightStore(std::shared_ptr<const GgufShards> shards, ggml_backend_dev_t cpu)
    : shards_(std::move(shards)), cpu_(cpu), mapped_(shards_->files().size()) {}

Result<const TensorInfo*> WeightStore::Find(const std::string& name, std::int64_t columns,
                                            std::int64_t rows) const {
  const TensorInfo* info = shards_->FindTensor(name);
  if (info == nullptr) {
    return Invalid("tensor '" + name + "' is missing");
  }
  const std::array<std::int64_t, 4> wanted = {columns, rows, 1, 1};
  if (info->shape != wanted) {
    return Invalid("tensor '" + name + "' has shape " + ShapeText(info->shape, info->dimensions) +
                   "; allowed: " + ShapeText(wanted, rows == 1 ? 1 : 2));
  }
  return info;
}

Result<ggml_tensor*> WeightStore::OrFault(Result<ggml_tensor*> found) const {
  if (found.ok() || faults_ == nullptr) {
    return found;
  }
  faults_->push_back(std::move(found).error());
  return static_cast<ggml_tensor*>(nullptr);
}

Result<ggml_tensor*> WeightStore::Matrix(const std::string& name, std::int64_t columns,
                                         std::int64_t rows, ggml_backend_dev_t device) {
  return OrFault(FindMatrix(name, columns, rows, device));
}

Result<ggml_tensor*> WeightStore::Vector(const std::string& name, std::int64_t size,
                                         ggml_backend_dev_t device) {
  return OrFault(FindVector(name, size, device));
}

Result<ggml_tensor*> WeightStore::FindMatrix(const std::string& name, std::int64_t columns,
                                             std::int64_t rows, ggml_backend_dev_t device) {
  LLMR_ASSIGN_OR_RETURN(const TensorInfo* info, Find(name, columns, rows));
  if (!IsWeightType(info->type)) {
    return UnsupportedType(*info, WeightTypeNames());
  }
  ggml_tensor*& tensor = tensors_[{name, device}];
  if (tensor == nullptr) {
    tensor = Add(GroupFor(*info, info->type, device), info->type, *info);
  }
  return tensor;
}

Result<ggml_tensor*> WeightStore::FindVector(const std::string& name, std::int64_t size,
                                             ggml_backend_dev_t device) {
  LLMR_ASSIGN_OR_RETURN(const TensorInfo* info, Find(name, size, 1));
  if (!IsFloatType(info->type)) {
    return UnsupportedType(*info, "f32, f16, bf16");
  }
  ggml_tensor*& tensor = tensors_[{name, device}];
  if (tensor == nullptr) {
    tensor = Add(GroupFor(*info, GGML_TYPE_F32, device), GGML_TYPE_F32, *info);
  }
  return tensor;
}

Result<ggml_tensor*> WeightStore::OptionalVector(const std::string& name, std::int64_t size,
                                                 ggml_backend_dev_t device) {
  if (!Has(name)) {
    return static_cast<ggml_tensor*>(nullptr);
  }
  return Vector(name, size, device);
}

Result<Linear> WeightStore::LinearMap(const std::string& name, std::int64_t inputs,
                                      std::int64_t outputs, ggml_backend_dev_t device) {
  Linear linear;
  LLMR_ASSIGN_OR_RETURN(linear.weight, Matrix(name + ".weight", inputs, outputs, device));
  LLMR_ASSIGN_OR_RETURN(linear.bias, OptionalVector(name + ".bias", outputs, device));
  return linear;
}

Result<Linear> WeightStore::OutputMap(std::int64_t inputs, std::int64_t vocabulary,
                                      ggml_backend_dev_t device) {
  constexpr const char* kOwn = "output.weight";
  Linear output;
  LLMR_ASSIGN_OR_RETURN(output.weight,
                        Matrix(Has(kOwn) ? kOwn : kTokenEmbedding, inputs, vocabulary, device));
  LLMR_ASSIGN_OR_RETURN(output.bias, OptionalVector("output.bias", vocabulary, device));
  return output;
}

WeightStore::Group& WeightStore::GroupFor(const TensorInfo& info, ggml_type type,
                                          ggml_backend_dev_t device) {
  const bool in_place = device == cpu_ && type == info.type && Aligned(info.data);
  const std::size_t file = shards_->FileOf(info);
  Group& group = in_place ? mapped_[file] : copies_[device];
  if (group.context == nullptr) {
    const std::size_t present =
        in_place ? shards_->files()[file]->tensors().size() : shards_->tensors().size();
    const std::size_t most = std::min(present, kMostTensors);
    group.context.reset(ggml_init(
        {.mem_size = most * ggml_tensor_overhead(), .mem_buffer = nullptr, .no_alloc = true}));
  }
  return group;
}

ggml_tensor* WeightStore::Add(Group& group, ggml_type type, const TensorInfo& info) {
  ggml_tensor* tensor = ggml_new_tensor_2d(group.context.get(), type, info.shape[0], info.shape[1]);
  ggml_set_name(tensor, info.name.c_str());
  group.entries.push_back({tensor, &info});
  used_.insert(&info);
  return tensor;
}

std::int64_t WeightStore::parameters() const {
  std::int64_t total = 0;
  for (const TensorInfo* info : used_) {
    total += info->shape[0] * info->shape[1];
  }
  return total;
}

Status WeightStore::LoadMapped() {
  for (std::size_t file = 0; file < mapped_.size(); ++file) {
    if (!mapped_[file].entries.empty()) {
      LLMR_RETURN_IF_ERROR(LoadMapped(*shards_->files()[file], mapped_[file]));
    }
  }
  return Ok();
}

Status WeightStore::LoadMapped(const GgufFile& file, Group& group) {
  // ggml wants the memory writable but only reads weights.
  auto* const base = const_cast<std::byte*>(file.bytes().data());
  group.buffer.reset(ggml_backend_cpu_buffer_from_ptr(base, file.bytes().size()));
  if (group.buffer == nullptr) {
    return OutOfMemory("the weights", cpu_);
  }
  ggml_backend_buffer_set_usage(group.buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  for (const Entry& entry : group.entries) {
    auto* const data = const_cast<std::byte*>(entry.info->data);
    if (ggml_backend_tensor_alloc(group.buffer.get(), entry.tensor, data) != GGML_STATUS_SUCCESS) {
      return OutOfMemory("the weights", cpu_);
    }
    group.bytes += entry.info->size;
  }
  return Ok();
}

Status WeightStore::LoadCopies(ggml_backend_dev_t device, Group& group,
                               const std::function<Status(const Entry&)>& copied) {
  ggml_backend_buffer_type_t type = ggml_backend_dev_buffer_type(device);
  group.buffer.reset(ggml_backend_alloc_ctx_tensors_from_buft(group.context.get(), type));
  if (group.buffer == nullptr) {
    return OutOfMemory("the weights", device);
  }
  ggml_backend_buffer_set_usage(group.buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  group.bytes = ggml_backend_buffer_get_size(group.buffer.get());
  for (const Entry& entry : group.entries) {
    if (entry.tensor->type != entry.info->type) {
      const std::vector<float> values = ToFloats(*entry.info);
      ggml_backend_tensor_set(entry.tensor, values.data(), 0, ggml_nbytes(entry.tensor));
    } else {
      ggml_backend_tensor_set(entry.tensor, entry.info->data, 0, entry.info->size);
    }
    LLMR_RETURN_IF_ERROR(copied(entry));
  }
  return Ok();
}

Status WeightStore::Load(const std::function<bool(double)>& on_progress) {
  LLMR_RETURN_IF_ERROR(LoadMapped());
  std::size_t total = 0;
  for (const auto& [device, group] : copies_) {
    for (const Entry& entry : group.entries) {
      total += entry.info->size;
    }
  }
  std::size_t done = 0;
  const auto report = [&]() -> Status {
    const double fraction =
        total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
    if (on_progress && !on_progress(fraction)) {
      return Error{ErrorCode::kFailedPrecondition, "CANCELLED", "loading was cancelled"};
    }
    return Ok();
  };
  for (auto& [device, group] : copies_) {
    LLMR_RETURN_IF_ERROR(LoadCopies(device, group, [&](const Entry& entry) {
      done += entry.info->size;
      return report();
    }));
  }
  return report();
}

Status WeightStore::Plan() {
  LLMR_RETURN_IF_ERROR(LoadMapped());  // takes nothing by itself: pages are read when computed with
  for (auto& [device, group] : copies_) {
    ggml_backend_buffer_type_t type = ggml_backend_dev_buffer_type(device);
    group.bytes = ggml_backend_alloc_ctx_tensors_from_buft_size(group.context.get(), type);
    group.buffer.reset(ggml_backend_buft_alloc_buffer(type, 0));
    ggml_backend_buffer_set_usage(group.buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    for (const Entry& entry : group.entries) {
      entry.tensor->buffer = group.buffer.get();
    }
  }
  return Ok();
}

std::size_t WeightStore::bytes() const {
  std::size_t total = 0;
  for (const Group& group : mapped_) {
    total += group.bytes;
  }
  for (const auto& [device, group] : copies_) {
    total += group.bytes;
  }
  return total;
}

}  // namespace llmr
