// _core.testing: sampler and stream decoder, so that tests can drive them without an engine.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>

#include "bind/exceptions.h"
#include "bind/register.h"
#include "engine/stream_decoder.h"
#include "sample/random.h"
#include "sample/sampler.h"

namespace py = pybind11;

namespace llmr {
namespace {

std::unique_ptr<Sampler> MakeSampler(std::int32_t vocabulary, const std::vector<TokenId>& prompt,
                                     float temperature, std::int32_t top_k, float top_p,
                                     float min_p, std::uint64_t seed, float repeat_penalty,
                                     float frequency_penalty, float presence_penalty,
                                     std::map<TokenId, float> logit_bias, std::int32_t logprobs) {
  SamplingParams params{temperature,
                        top_k,
                        top_p,
                        min_p,
                        seed,
                        repeat_penalty,
                        frequency_penalty,
                        presence_penalty,
                        std::move(logit_bias),
                        logprobs,
                        -1};
  ThrowIfError(Validate(params, vocabulary));
  return std::make_unique<Sampler>(std::move(params), vocabulary, prompt);
}

// (token, None or (logprob, [(token, logprob), …]))
py::tuple Sample(Sampler& sampler, const std::vector<float>& logits, std::int32_t position) {
  const SampledToken sampled = ValueOrThrow(sampler.Sample(logits, position));
  if (!sampled.logprob.has_value()) {
    return py::make_tuple(sampled.token, py::none());
  }
  return py::make_tuple(sampled.token,
                        py::make_tuple(sampled.logprob->logprob, sampled.logprob->top));
}

void RegisterSampler(py::module_& module) {
  py::class_<Sampler>(module, "Sampler")
      .def(py::init(&MakeSampler), py::kw_only(), py::arg("vocabulary"),
           py::arg("prompt") = std::vector<TokenId>(), py::arg("temperature") = 1.0F,
           py::arg("top_k") = 0, py::arg("top_p") = 1.0F, py::arg("min_p") = 0.0F,
           py::arg("seed") = 0, py::arg("repeat_penalty") = 1.0F,
           py::arg("frequency_penalty") = 0.0F, py::arg("presence_penalty") = 0.0F,
           py::arg("logit_bias") = std::map<TokenId, float>(), py::arg("logprobs") = -1)
      .def("sample", &Sample, py::arg("logits"), py::arg("position"));
  module.def("philox", &Philox, py::arg("counter"), py::arg("key"));
  module.def("uniform_at", &UniformAt, py::arg("seed"), py::arg("position"));
}

void RegisterStreamDecoder(py::module_& module) {
  py::class_<StreamDecoder>(module, "StreamDecoder")
      .def(py::init<std::vector<std::string>>(), py::arg("stops"))
      .def("push", [](StreamDecoder& decoder,
                      const py::bytes& bytes) { return decoder.Push(std::string_view(bytes)); })
      .def("flush", &StreamDecoder::Flush)
      .def_property_readonly("stopped", &StreamDecoder::stopped);
}

}  // namespace

void RegisterTestingText(py::module_& module) {
  RegisterSampler(module);
  RegisterStreamDecoder(module);
}

}  // namespace llmr
