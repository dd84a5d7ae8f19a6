// _core.testing: forward passes, the attention kernels and tensor types, without an engine.
// Arrays go in and out as bytes of F32, row by row.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bind/exceptions.h"
#include "bind/register.h"
#include "engine/engine_plan.h"
#include "engine/runner.h"
#include "kernels/paged_attention.h"
#include "model/tensor_types.h"

namespace py = pybind11;

namespace llmr {
namespace {

py::bytes ToBytes(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::vector<float> ToFloats(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

// A model with a cache of its own. Block tables are the caller's business.
class ForwardPass {
 public:
  // tokens, position of the first, block table, outputs
  using Item = std::tuple<std::vector<TokenId>, std::int32_t, std::vector<BlockId>, std::int32_t>;

  ForwardPass(const std::string& path, const ModelOptions& options, const RunnerConfig& config,
              KvType kv_type, std::int32_t blocks, std::int32_t block_size) {
    model_ = ValueOrThrow(Model::Load(ValueOrThrow(GgufShards::Open(path)), options));
    KvCacheConfig cache = KvCacheConfigFor(*model_, block_size, kv_type);
    cache.blocks = blocks;
    runner_ = ValueOrThrow(Runner::Create(model_, ValueOrThrow(KvCache::Create(cache)), config));
  }

  std::span<const float> Run(const std::vector<Item>& items) {
    Batch batch;
    SequenceId sequence = 0;
    for (const auto& [tokens, start_position, blocks, outputs] : items) {
      batch.items.push_back({.sequence = sequence++,
                             .first_token = static_cast<std::int32_t>(batch.tokens.size()),
                             .token_count = static_cast<std::int32_t>(tokens.size()),
                             .start_position = start_position,
                             .first_output = batch.output_count(),
                             .output_count = outputs,
                             .blocks = blocks});
      batch.tokens.insert(batch.tokens.end(), tokens.begin(), tokens.end());
    }
    return ValueOrThrow(runner_->Run(batch));
  }

  const Model& model() const { return *model_; }
  std::size_t bytes() const { return runner_->bytes(); }

 private:
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Runner> runner_;
};

using Adapters = decltype(EngineConfig::adapters);

std::unique_ptr<ForwardPass> MakeForwardPass(const std::string& path, std::int32_t threads,
                                             const std::string& kv_type,
                                             const std::string& attention, std::int32_t blocks,
                                             std::int32_t block_size, std::int32_t batch_tokens,
                                             std::int32_t gpu_layers, const Adapters& adapters) {
  const KvType type = ValueOrThrow(ParseKvType(kv_type));
  const RunnerConfig config = {.threads = threads,
                               .batch_tokens = batch_tokens,
                               .max_outputs = batch_tokens,
                               .attention = ValueOrThrow(ParseAttentionKind(attention))};
  EngineConfig files;
  files.gpu_layers = gpu_layers;
  files.adapters = adapters;
  return std::make_unique<ForwardPass>(path, ValueOrThrow(ModelOptionsFor(files)), config, type,
                                       blocks, block_size);
}

void RegisterForwardPass(py::module_& module) {
  py::class_<ForwardPass>(module, "ForwardPass")
      .def(py::init(&MakeForwardPass), py::arg("path"), py::kw_only(), py::arg("threads") = 1,
           py::arg("kv_type") = "f32", py::arg("attention") = "paged", py::arg("blocks") = 64,
           py::arg("block_size") = 16, py::arg("batch_tokens") = 512, py::arg("gpu_layers") = 0,
           py::arg("adapters") = Adapters())
      .def("run",
           [](ForwardPass& pass, const std::vector<ForwardPass::Item>& items) {
             return ToBytes(pass.Run(items));
           })
      .def_property_readonly("vocabulary",
                             [](const ForwardPass& p) { return p.model().hparams().vocabulary; })
      .def_property_readonly(
          "context_length", [](const ForwardPass& p) { return p.model().hparams().context_length; })
      .def_property_readonly("bytes", &ForwardPass::bytes)
      .def_property_readonly("parameters",
                             [](const ForwardPass& p) { return p.model().parameters(); });
}

const PagedAttentionIsa& FindIsa(const std::string& name) {
  for (const PagedAttentionIsa& isa : PagedAttentionIsas()) {
    if (isa.name == name) {
      return isa;
    }
  }
  throw py::value_error("this machine has no " + name);
}

// first token, token count, position of the first, block table
using Span = std::tuple<std::int32_t, std::int32_t, std::int32_t, std::vector<std::int32_t>>;

py::bytes Attention(const std::string& isa, std::string_view queries, std::string_view keys,
                    std::string_view values, const std::vector<Span>& spans, bool half,
                    std::int32_t heads, std::int32_t kv_heads, std::int32_t head_dim,
                    std::int32_t block_size, int threads) {
  AttentionBatch batch;
  batch.block_size = block_size;
  for (const auto& [first_token, token_count, start_position, blocks] : spans) {
    batch.spans.push_back({first_token, token_count, start_position, blocks.data()});
  }
  const std::vector<float> q = ToFloats(queries);
  std::vector<float> output(q.size());
  const PagedAttentionArgs args = {
      .batch = &batch,
      .queries = q.data(),
      .output = output.data(),
      .keys = reinterpret_cast<const std::byte*>(keys.data()),
      .values = reinterpret_cast<const std::byte*>(values.data()),
      .row_bytes = static_cast<std::size_t>(kv_heads * head_dim) * (half ? 2U : 4U),
      .query_token_stride = heads * head_dim,
      .query_head_stride = head_dim,
      .heads = heads,
      .kv_heads = kv_heads,
      .head_dim = head_dim,
      .scale = 0.125F};
  const PagedAttentionIsa& found = FindIsa(isa);
  for (int thread = 0; thread < threads; ++thread) {
    (half ? found.f16 : found.f32)(args, thread, threads);
  }
  return ToBytes(output);
}

void RegisterAttention(py::module_& module) {
  module.def("attention_isas", [] {
    std::vector<std::string> names;
    for (const PagedAttentionIsa& isa : PagedAttentionIsas()) {
      names.emplace_back(isa.name);
    }
    return names;
  });
  module.def("attention", &Attention, py::arg("isa"), py::arg("queries"), py::arg("keys"),
             py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("half"), py::arg("heads"),
             py::arg("kv_heads"), py::arg("head_dim"), py::arg("block_size"),
             py::arg("threads") = 1);
}

void RegisterTensorTypes(py::module_& module) {
  module.def("weight_types", [] {
    std::vector<std::string> names;
    for (const ggml_type type : WeightTypes()) {
      names.emplace_back(ggml_type_name(type));
    }
    return names;
  });
  module.def(
      "quantize", [](const std::string& type, const std::string& values, std::int64_t columns) {
        const auto data =
            ValueOrThrow(Quantize(ValueOrThrow(ParseWeightType(type)), ToFloats(values), columns));
        return py::bytes(reinterpret_cast<const char*>(data.data()), data.size());
      });
  module.def("dequantize", [](const std::string& type, const std::string& data) {
    return ToBytes(ValueOrThrow(
        Dequantize(ValueOrThrow(ParseWeightType(type)), std::as_bytes(std::span(data)))));
  });
}

}  // namespace

void RegisterTestingModel(py::module_& testing) {
  RegisterForwardPass(testing);
  RegisterAttention(testing);
  RegisterTensorTypes(testing);
}

}  // namespace llmr
