#include "engine/graph_backends.h"

#include <new>
#include <string>
#include <utility>

namespace llmr {
namespace {

Error OutOfMemory() {
  return Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
               "no memory for the intermediate results of a batch"};
}

// ggml's scheduler takes 21 KiB of address space for each tensor that a graph may have, and aborts
// where it gets none: a file may ask for more than a machine has. Checked with what the graph takes
// besides. No page of it is touched.
Status CheckRoom(std::size_t most_tensors) {
  constexpr std::size_t kBytesATensor = std::size_t{24} << 10;
  const ggml_backend_buffer_ptr room(
      ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), most_tensors * kBytesATensor));
  return room != nullptr ? Ok()
                         : Error{ErrorCode::kResourceExhausted, "OUT_OF_MEMORY",
                                 "no memory for graphs of " + std::to_string(most_tensors) +
                                     " tensors, by the model's layers and adapters"};
}

}  // namespace

Result<GraphBackends> GraphBackends::Create(const Model& model, std::int32_t threads,
                                            std::size_t most_tensors) {
  LLMR_RETURN_IF_ERROR(CheckRoom(most_tensors));
  std::vector<ggml_backend_ptr> backends;
  if (model.Accelerator() != nullptr) {
    backends.emplace_back(ggml_backend_dev_init(model.Accelerator(), nullptr));
  }
  backends.emplace_back(ggml_backend_cpu_init());
  for (const ggml_backend_ptr& backend : backends) {
    if (backend == nullptr) {
      return Error{ErrorCode::kInternal, "BACKEND_FAILED", "a backend of ggml did not start"};
    }
  }
  ggml_backend_cpu_set_n_threads(backends.back().get(), threads);
  return GraphBackends(threads, std::move(backends), most_tensors);
}

GraphBackends::GraphBackends(std::int32_t threads, std::vector<ggml_backend_ptr> backends,
                             std::size_t most_tensors)
    : threads_(threads), backends_(std::move(backends)) {
  std::vector<ggml_backend_t> raw;
  for (const ggml_backend_ptr& backend : backends_) {
    raw.push_back(backend.get());
  }
  scheduler_.reset(ggml_backend_sched_new(raw.data(), nullptr, static_cast<int>(raw.size()),
                                          most_tensors, /*parallel=*/false, /*op_offload=*/true));
}

void GraphBackends::StartThreads() {
  ggml_threadpool_params params = ggml_threadpool_params_default(threads_);
  threadpool_.reset(ggml_threadpool_new(&params));
  ggml_backend_cpu_set_threadpool(backends_.back().get(), threadpool_.get());
}

Status GraphBackends::Reserve(ggml_cgraph* graph) {
  return ggml_backend_sched_reserve(scheduler_.get(), graph) ? Ok() : OutOfMemory();
}

std::size_t GraphBackends::Measure(ggml_cgraph* graph) {
  std::vector<std::size_t> sizes(backends_.size());
  ggml_backend_sched_reserve_size(scheduler_.get(), graph, sizes.data());
  ggml_backend_sched_reset(scheduler_.get());
  std::size_t total = 0;
  for (const std::size_t size : sizes) {
    total += size;
  }
  return total;
}

std::size_t GraphBackends::WorkBytes(const ggml_cgraph* graph) const {
  return ggml_graph_plan(graph, threads_, threadpool_.get()).work_size;
}

std::size_t GraphBackends::bytes() const {
  std::size_t total = 0;
  for (const ggml_backend_ptr& backend : backends_) {
    total += ggml_backend_sched_get_buffer_size(scheduler_.get(), backend.get());
  }
  return total;
}

Status GraphBackends::Allocate(ggml_cgraph* graph) {
  return ggml_backend_sched_alloc_graph(scheduler_.get(), graph) ? Ok() : OutOfMemory();
}

Status GraphBackends::Compute(ggml_cgraph* graph) {
  ggml_status status = GGML_STATUS_FAILED;
  try {
    status = ggml_backend_sched_graph_compute(scheduler_.get(), graph);
  } catch (const std::bad_alloc&) {
    status = GGML_STATUS_ALLOC_FAILED;
  }
  if (status == GGML_STATUS_ALLOC_FAILED) {
    return OutOfMemory();
  }
  if (status != GGML_STATUS_SUCCESS) {
    return Error{ErrorCode::kInternal, "BACKEND_FAILED",
                 std::string("ggml: ") + ggml_status_to_string(status)};
  }
  return Ok();
}

}  // namespace llmr
