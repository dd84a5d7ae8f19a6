// ggml's backends and what they compute graphs with: the only part that drives ggml.
#pragma once

#include <ggml-backend.h>
#include <ggml-cpp.h>
#include <ggml-cpu.h>
#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "model/model.h"

namespace llmr {

// Owns the memory of intermediate results, which only grows. Not thread-safe.
class GraphBackends {
 public:
  // For graphs of at most `most_tensors` nodes and leaves together (ggml aborts beyond that), on
  // the devices where the model lies. REQUIRES: 1 to GGML_MAX_N_THREADS threads. Errors:
  // RESOURCE_EXHAUSTED / OUT_OF_MEMORY; INTERNAL / BACKEND_FAILED.
  static Result<GraphBackends> Create(const Model& model, std::int32_t threads,
                                      std::size_t most_tensors);

  // Before the first Compute(), once.
  void StartThreads();

  // Takes the memory that `graph` needs. Errors: RESOURCE_EXHAUSTED / OUT_OF_MEMORY.
  Status Reserve(ggml_cgraph* graph);

  // Bytes that Reserve() would have beside bytes(), and takes none. Only where nothing is reserved:
  // exact on the CPU, and as good as the device's word elsewhere.
  std::size_t Measure(ggml_cgraph* graph);

  // Bytes that computing `graph` takes for what passes between threads, beside what is reserved.
  std::size_t WorkBytes(const ggml_cgraph* graph) const;

  // Bytes that are reserved.
  std::size_t bytes() const;

  // Forgets the allocated graph: before its nodes go.
  void Reset() { ggml_backend_sched_reset(scheduler_.get()); }

  // Gives the nodes of `graph` their places. REQUIRES: Reset() before. Errors: RESOURCE_EXHAUSTED /
  // OUT_OF_MEMORY.
  Status Allocate(ggml_cgraph* graph);

  // Errors: RESOURCE_EXHAUSTED / OUT_OF_MEMORY; INTERNAL / BACKEND_FAILED.
  Status Compute(ggml_cgraph* graph);

 private:
  struct ThreadpoolDeleter {
    void operator()(ggml_threadpool* pool) const { ggml_threadpool_free(pool); }
  };

  GraphBackends(std::int32_t threads, std::vector<ggml_backend_ptr> backends,
                std::size_t most_tensors);

  std::int32_t threads_;
  std::unique_ptr<ggml_threadpool, ThreadpoolDeleter> threadpool_;
  std::vector<ggml_backend_ptr> backends_;  // the CPU last
  ggml_backend_sched_ptr scheduler_;
};

}  // namespace llmr
