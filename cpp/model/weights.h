// A model's tensors: found in the file, checked, and placed where they are computed.
#pragma once

#include <ggml-backend.h>
#include <ggml-cpp.h>
#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "gguf/gguf_shards.h"

namespace llmr {

// What an adapter adds to a linear map: scale × outer(inner(x)).
struct LowRank {
  ggml_tensor* inner = nullptr;  // [inputs, rank]
  ggml_tensor* outer = nullptr;  // [rank, outputs]
  float scale = 1.0F;
};

// A linear map and, where the model has one, its bias.
struct Linear {
  ggml_tensor* weight = nullptr;  // [inputs, outputs]
  ggml_tensor* bias = nullptr;    // F32 [outputs], or null
  std::vector<LowRank> adapters;
};

// What a normalised vector is multiplied with and, where the model has one, its bias.
struct Norm {
  ggml_tensor* weight = nullptr;  // F32 [embedding]
  ggml_tensor* bias = nullptr;    // F32 [embedding], or null
};

// An architecture fills in what it computes with.
struct LayerWeights {
  Norm attention_norm;
  Linear query;                         // embedding → heads × head_dim
  Linear key;                           // embedding → kv_heads × head_dim
  Linear value;                         // embedding → kv_heads × head_dim
  Linear query_key_value;               // instead of these: the outputs of all, in this order
  Linear attention_output;              // heads × head_dim → embedding
  ggml_tensor* rope_factors = nullptr;  // F32 [rope dimensions / 2], or null
  Norm feed_forward_norm;
  Linear gate;  // embedding → feed_forward
  Linear up;    // embedding → feed_forward
  Linear down;  // feed_forward → embedding
};

struct Weights {
  ggml_tensor* token_embedding = nullptr;     // [embedding, vocabulary]
  ggml_tensor* position_embedding = nullptr;  // [embedding, context_length], or null
  std::vector<LayerWeights> layers;
  Norm output_norm;
  Linear output;  // embedding → vocabulary; may be the token embedding itself
};

inline constexpr const char* kTokenEmbedding = "token_embd.weight";

// Collects the tensors that a model needs, then gives them data. Matrices on the CPU are read from
// the mapped files in place; everything else is copied once. Owns contexts and buffers: the tensors
// live as long as this object. Not thread-safe. REQUIRES: no more than 2^15 are asked for.
class WeightStore {
 public:
  WeightStore(std::shared_ptr<const GgufShards> shards, ggml_backend_dev_t cpu);

  // A matrix [columns, rows] of a type that ggml multiplies with. Errors: FAILED_PRECONDITION /
  // GGUF_INVALID naming the tensor where it is missing or has another shape; UNIMPLEMENTED /
  // MODEL_UNSUPPORTED for its type.
  Result<ggml_tensor*> Matrix(const std::string& name, std::int64_t columns, std::int64_t rows,
                              ggml_backend_dev_t device);

  // A vector, as F32 whatever floating-point type the file has. Errors: as Matrix().
  Result<ggml_tensor*> Vector(const std::string& name, std::int64_t size,
                              ggml_backend_dev_t device);

  // Null where the file has no such tensor.
  Result<ggml_tensor*> OptionalVector(const std::string& name, std::int64_t size,
                                      ggml_backend_dev_t device);

  // "<name>.weight" and, where there is one, "<name>.bias".
  Result<Linear> LinearMap(const std::string& name, std::int64_t inputs, std::int64_t outputs,
                           ggml_backend_dev_t device);

  // "output.weight", and its bias where there is one. Without an output matrix of its own, a model
  // uses the token embedding.
  Result<Linear> OutputMap(std::int64_t inputs, std::int64_t vocabulary, ggml_backend_dev_t device);

  // From now on a tensor that is missing or cannot be used is no error of those above: they give
  // null in its place, and the error goes to `faults`, which outlives this object. REQUIRES: where
  // there were faults, nothing is loaded or computed.
  void CollectFaults(std::vector<Error>* faults) { faults_ = faults; }

  bool Has(const std::string& name) const { return shards_->FindTensor(name) != nullptr; }

  // Gives data to everything asked for so far; call once, last. `on_progress` may be empty and gets
  // 0 … 1; false gives up. Errors: RESOURCE_EXHAUSTED / OUT_OF_MEMORY; FAILED_PRECONDITION /
  // CANCELLED.
  Status Load(const std::function<bool(double)>& on_progress);

  // Instead of Load(): reads no tensor and allocates no memory for any. What the tensors lie in is
  // known then, so that graphs of them can be measured; they cannot be computed. Errors: as Load().
  Status Plan();

  // Bytes that the weights take, those in the mapped files included. REQUIRES: Load() or Plan().
  std::size_t bytes() const;

  // Elements of all tensors asked for, each once.
  std::int64_t parameters() const;

  // Tensors asked for, each once.
  std::size_t tensors() const { return used_.size(); }

  // True once a file shrank under its mapping.
  bool damaged() const { return shards_->damaged(); }

 private:
  struct Entry {
    ggml_tensor* tensor;
    const TensorInfo* info;
  };
  // Tensors that share a buffer: those in one mapped file, or those copied to one device.
  struct Group {
    ggml_context_ptr context;
    std::vector<Entry> entries;
    ggml_backend_buffer_ptr buffer;
    std::size_t bytes = 0;  // of the tensors; where copied, with what lies between them
  };

  Result<const TensorInfo*> Find(const std::string& name, std::int64_t columns,
                                 std::int64_t rows) const;
  Result<ggml_tensor*> FindMatrix(const std::string& name, std::int64_t columns, std::int64_t rows,
                                  ggml_backend_dev_t device);
  Result<ggml_tensor*> FindVector(const std::string& name, std::int64_t size,
                                  ggml_backend_dev_t device);
  Result<ggml_tensor*> OrFault(Result<ggml_tensor*> found) const;
  ggml_tensor* Add(Group& group, ggml_type type, const TensorInfo& info);
  Group& GroupFor(const TensorInfo& info, ggml_type type, ggml_backend_dev_t device);
  Status LoadMapped();
  Status LoadMapped(const GgufFile& file, Group& group);
  Status LoadCopies(ggml_backend_dev_t device, Group& group,
                    const std::function<Status(const Entry&)>& copied);

  std::shared_ptr<const GgufShards> shards_;
  ggml_backend_dev_t cpu_;
  std::vector<Group> mapped_;  // one a file
  std::map<ggml_backend_dev_t, Group> copies_;
  std::map<std::pair<std::string, ggml_backend_dev_t>, ggml_tensor*> tensors_;
  std::set<const TensorInfo*> used_;
  std::vector<Error>* faults_ = nullptr;  // null: a fault is an error
};

}  // namespace llmr
