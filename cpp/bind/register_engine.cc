// _core.Engine and what goes in and out of it.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <exception>
#include <filesystem>
#include <memory>

#include "bind/exceptions.h"
#include "bind/fields.h"
#include "bind/register.h"
#include "engine/engine.h"
#include "engine/load_engine.h"
#include "engine/memory_estimate.h"

namespace py = pybind11;

// A field whose name in Python is that in C++.
#define LLMR_FIELD(T, member)                                 \
  ::llmr::Field {                                             \
    #member, [](T& object) -> auto& { return object.member; } \
  }
#define LLMR_NAMED_FIELD(T, name, member)                  \
  ::llmr::Field {                                          \
    name, [](T& object) -> auto& { return object.member; } \
  }

namespace llmr {
namespace {

void RegisterConfig(py::module_& module) {
  using C = EngineConfig;
  py::class_<C> cls(module, "EngineConfig");
  DefineRecord(cls, LLMR_FIELD(C, model_path), LLMR_FIELD(C, adapters),
               LLMR_FIELD(C, context_length), LLMR_FIELD(C, max_sequences), LLMR_FIELD(C, threads),
               LLMR_FIELD(C, batch_tokens), LLMR_FIELD(C, block_size), LLMR_FIELD(C, kv_blocks),
               LLMR_FIELD(C, kv_bytes), LLMR_FIELD(C, kv_type), LLMR_FIELD(C, gpu_layers),
               LLMR_FIELD(C, prefix_cache), LLMR_FIELD(C, max_undelivered),
               LLMR_FIELD(C, attention));
}

void RegisterSubmission(py::module_& module) {
  using S = Submission;
  py::class_<S> cls(module, "Submission");
  DefineRecord(
      cls, LLMR_FIELD(S, tokens), LLMR_FIELD(S, max_tokens),
      LLMR_NAMED_FIELD(S, "temperature", sampling.temperature),
      LLMR_NAMED_FIELD(S, "top_k", sampling.top_k), LLMR_NAMED_FIELD(S, "top_p", sampling.top_p),
      LLMR_NAMED_FIELD(S, "min_p", sampling.min_p), LLMR_NAMED_FIELD(S, "seed", sampling.seed),
      LLMR_NAMED_FIELD(S, "repeat_penalty", sampling.repeat_penalty),
      LLMR_NAMED_FIELD(S, "frequency_penalty", sampling.frequency_penalty),
      LLMR_NAMED_FIELD(S, "presence_penalty", sampling.presence_penalty),
      LLMR_NAMED_FIELD(S, "logit_bias", sampling.logit_bias),
      LLMR_NAMED_FIELD(S, "logprobs", sampling.logprobs),
      LLMR_NAMED_FIELD(S, "prompt_logprobs", sampling.prompt_logprobs), LLMR_FIELD(S, stop),
      LLMR_FIELD(S, ignore_eos), LLMR_FIELD(S, deadline), LLMR_FIELD(S, caller),
      LLMR_FIELD(S, hold));
}

void RegisterEvent(py::module_& module) {
  using L = TokenLogprob;
  py::class_<L> logprob(module, "TokenLogprob");
  DefineReadOnly(logprob, LLMR_NAMED_FIELD(L, "token_id", token), LLMR_FIELD(L, logprob),
                 LLMR_FIELD(L, top));
  using E = Event;
  py::class_<E> event(module, "Event");
  DefineReadOnly(event, LLMR_FIELD(E, id), LLMR_FIELD(E, started), LLMR_FIELD(E, text),
                 LLMR_FIELD(E, token_ids), LLMR_FIELD(E, logprobs), LLMR_FIELD(E, prompt_logprobs),
                 LLMR_FIELD(E, finish_reason), LLMR_FIELD(E, error_code),
                 LLMR_FIELD(E, error_reason), LLMR_FIELD(E, error_message),
                 LLMR_FIELD(E, prompt_tokens), LLMR_FIELD(E, cached_tokens),
                 LLMR_FIELD(E, completion_tokens), LLMR_FIELD(E, queue_ms),
                 LLMR_FIELD(E, first_token_ms), LLMR_FIELD(E, stop_token));
}

void RegisterStats(py::module_& module) {
  using S = EngineStats;
  py::class_<S> cls(module, "EngineStats");
  DefineReadOnly(cls, LLMR_FIELD(S, running), LLMR_FIELD(S, waiting), LLMR_FIELD(S, blocks_total),
                 LLMR_FIELD(S, blocks_free), LLMR_FIELD(S, blocks_held),
                 LLMR_FIELD(S, computed_tokens), LLMR_FIELD(S, cached_tokens), LLMR_FIELD(S, steps),
                 LLMR_FIELD(S, preemptions));
}

void RegisterMemory(py::module_& module) {
  using M = MemoryEstimate;
  py::class_<M> cls(module, "MemoryEstimate");
  DefineReadOnly(cls, LLMR_FIELD(M, weights), LLMR_FIELD(M, kv), LLMR_FIELD(M, compute),
                 LLMR_FIELD(M, context_length), LLMR_FIELD(M, kv_blocks));
  module.def(
      "estimate_memory",
      [](const EngineConfig& config) { return ValueOrThrow(EstimateMemory(config)); },
      py::arg("config"), py::call_guard<py::gil_scoped_release>());
}

// Loads with the GIL released; takes it back for each call of `on_progress`, whose exception ends
// the loading and goes on to the caller.
std::unique_ptr<Engine> Load(const EngineConfig& config, std::vector<std::string> token_bytes,
                             std::vector<TokenId> end_tokens, const py::object& on_progress) {
  std::exception_ptr raised;
  LoadProgress progress;
  if (!on_progress.is_none()) {
    progress = [&](const std::string& phase, double fraction) {
      const py::gil_scoped_acquire gil;
      try {
        return on_progress(phase, fraction).cast<bool>();
      } catch (...) {
        raised = std::current_exception();
        return false;
      }
    };
  }
  Result<std::unique_ptr<Engine>> engine = [&] {
    const py::gil_scoped_release released;
    return LoadEngine(config, {std::move(token_bytes), std::move(end_tokens)}, progress);
  }();
  if (raised) {
    std::rethrow_exception(raised);
  }
  return ValueOrThrow(std::move(engine));
}

}  // namespace

void RegisterEngine(py::module_& module) {
  RegisterConfig(module);
  RegisterSubmission(module);
  RegisterEvent(module);
  RegisterStats(module);
  RegisterMemory(module);
  using WithoutGil = py::call_guard<py::gil_scoped_release>;
  py::class_<Engine>(module, "Engine", py::release_gil_before_calling_cpp_dtor())
      .def(py::init(&Load), py::arg("config"), py::arg("token_bytes"), py::arg("end_tokens"),
           py::arg("on_progress") = py::none())
      .def_property_readonly("fd", &Engine::fd)
      .def_property_readonly("context_length", &Engine::context_length)
      .def_property_readonly("vocabulary_size", &Engine::vocabulary_size)
      .def_property_readonly("architecture",
                             [](const Engine& engine) { return engine.model().architecture; })
      .def_property_readonly("parameters",
                             [](const Engine& engine) { return engine.model().parameters; })
      // A copy: a reference would keep the engine.
      .def_property_readonly("memory",
                             [](const Engine& engine) { return MemoryEstimate(engine.memory()); })
      .def(
          "submit",
          [](Engine& engine, const Submission& submission) {
            return ValueOrThrow(engine.Submit(submission));
          },
          py::arg("submission"), WithoutGil())
      .def("cancel", &Engine::Cancel, py::arg("id"), WithoutGil())
      .def("acknowledge", &Engine::Acknowledge, py::arg("id"), py::arg("events"), WithoutGil())
      .def("release", &Engine::Release, py::arg("id"), WithoutGil())
      .def_property_readonly("kv_identity", &Engine::kv_identity)
      .def(
          "save_kv",
          [](Engine& engine, const std::filesystem::path& path, const std::string& key,
             std::int64_t max_bytes) {
            return ValueOrThrow(engine.SaveKv({path.string(), key}, max_bytes));
          },
          py::arg("path"), py::arg("key"), py::arg("max_bytes") = 0, WithoutGil())
      .def(
          "restore_kv",
          [](Engine& engine, const std::filesystem::path& path, const std::string& key) {
            return ValueOrThrow(engine.RestoreKv({path.string(), key}));
          },
          py::arg("path"), py::arg("key"), WithoutGil())
      .def("drain", &Engine::Drain)
      .def("stats", &Engine::stats)
      .def("close", &Engine::Close, WithoutGil());
}

}  // namespace llmr
