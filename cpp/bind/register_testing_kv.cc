// _core.testing: block pool and scheduler, so that tests can drive them without an engine.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <tuple>

#include "bind/exceptions.h"
#include "bind/register.h"
#include "kv/block_pool.h"
#include "sched/scheduler.h"

namespace py = pybind11;

namespace llmr {
namespace {

std::uint64_t HashAlike(std::uint64_t, std::span<const TokenId>) { return 1; }

void RegisterBlockPool(py::module_& module) {
  py::class_<BlockPool>(module, "BlockPool")
      .def(py::init([](std::int32_t blocks, std::int32_t block_size, bool colliding) {
             return std::make_unique<BlockPool>(ValueOrThrow(
                 BlockPool::Create({blocks, block_size, colliding ? HashAlike : HashPrefix})));
           }),
           py::kw_only(), py::arg("blocks"), py::arg("block_size"), py::arg("colliding") = false)
      .def("allocate", [](BlockPool& pool) { return ValueOrThrow(pool.Allocate()); })
      .def("retain", [](BlockPool& pool, BlockId block) { ThrowIfError(pool.Retain(block)); })
      .def("release",
           [](BlockPool& pool, const std::vector<BlockId>& blocks) {
             ThrowIfError(pool.Release(blocks));
           })
      .def("seal",
           [](BlockPool& pool, BlockId block, BlockId parent, const std::vector<TokenId>& tokens) {
             return ValueOrThrow(pool.Seal(block, parent, tokens));
           })
      .def("match", [](BlockPool& pool, const std::vector<TokenId>& tokens,
                       std::size_t limit) { return pool.Match(tokens, limit); })
      .def("sealed_blocks",
           [](const BlockPool& pool) {
             std::vector<std::tuple<BlockId, std::int32_t, std::vector<TokenId>>> blocks;
             for (const SealedBlock& sealed : pool.SealedBlocks()) {
               blocks.emplace_back(sealed.block, sealed.parent,
                                   std::vector(sealed.tokens.begin(), sealed.tokens.end()));
             }
             return blocks;
           })
      .def("references", &BlockPool::references)
      .def("sealed", &BlockPool::sealed)
      .def_property_readonly("size", &BlockPool::size)
      .def_property_readonly("free", &BlockPool::free)
      .def_property_readonly("evictable", &BlockPool::evictable)
      .def_property_readonly("held", &BlockPool::held);
}

void RegisterBatch(py::module_& module) {
  py::class_<BatchItem>(module, "BatchItem")
      .def_readonly("sequence", &BatchItem::sequence)
      .def_readonly("first_token", &BatchItem::first_token)
      .def_readonly("token_count", &BatchItem::token_count)
      .def_readonly("start_position", &BatchItem::start_position)
      .def_readonly("first_output", &BatchItem::first_output)
      .def_readonly("output_count", &BatchItem::output_count)
      .def_readonly("blocks", &BatchItem::blocks);
  py::class_<Batch>(module, "Batch")
      .def_readonly("tokens", &Batch::tokens)
      .def_readonly("items", &Batch::items);
}

void RegisterSequence(py::module_& module) {
  py::class_<Sequence>(module, "Sequence")
      .def_readonly("tokens", &Sequence::tokens)
      .def_readonly("prompt_tokens", &Sequence::prompt_tokens)
      .def_readonly("max_tokens", &Sequence::max_tokens)
      .def_readonly("cached_tokens", &Sequence::cached_tokens)
      .def_readonly("computed", &Sequence::computed)
      .def_readonly("sealed_blocks", &Sequence::sealed_blocks)
      .def_readonly("blocks", &Sequence::blocks)
      .def_property_readonly("running",
                             [](const Sequence& s) { return s.state == SequenceState::kRunning; });
  py::class_<SchedulerStats>(module, "SchedulerStats")
      .def_readonly("running", &SchedulerStats::running)
      .def_readonly("waiting", &SchedulerStats::waiting)
      .def_readonly("held", &SchedulerStats::held)
      .def_readonly("computed_tokens", &SchedulerStats::computed_tokens)
      .def_readonly("cached_tokens", &SchedulerStats::cached_tokens)
      .def_readonly("steps", &SchedulerStats::steps)
      .def_readonly("preemptions", &SchedulerStats::preemptions);
}

std::unique_ptr<Scheduler> MakeScheduler(std::int32_t blocks, std::int32_t block_size,
                                         std::int32_t context_length, std::int32_t max_sequences,
                                         std::int32_t batch_tokens, std::int32_t max_outputs,
                                         bool prefix_cache, double horizon,
                                         std::int32_t fairness_window) {
  SchedulerConfig config{context_length, max_sequences, batch_tokens,   max_outputs,
                         prefix_cache,   horizon,       fairness_window};
  return std::make_unique<Scheduler>(ValueOrThrow(
      Scheduler::Create(config, ValueOrThrow(BlockPool::Create({blocks, block_size})))));
}

void Submit(Scheduler& scheduler, SequenceId id, std::vector<TokenId> prompt,
            std::int32_t max_tokens, double now, double deadline, std::uint64_t caller, bool hold,
            bool score_prompt) {
  ThrowIfError(scheduler.Submit(
      {id, std::move(prompt), max_tokens, deadline, caller, hold, score_prompt}, now));
}

using Outcome = std::tuple<SequenceId, std::optional<TokenId>, bool>;

void Commit(Scheduler& scheduler, const std::vector<Outcome>& outcomes) {
  std::vector<SequenceOutcome> list;
  for (const auto& [sequence, token, finished] : outcomes) {
    list.push_back({sequence, token, finished});
  }
  ThrowIfError(scheduler.Commit(list));
}

void RegisterScheduler(py::module_& module) {
  py::class_<Scheduler>(module, "Scheduler")
      .def(py::init(&MakeScheduler), py::kw_only(), py::arg("blocks"), py::arg("block_size") = 4,
           py::arg("context_length") = 64, py::arg("max_sequences") = 4,
           py::arg("batch_tokens") = 16, py::arg("max_outputs") = 16,
           py::arg("prefix_cache") = true, py::arg("horizon") = 60.0,
           py::arg("fairness_window") = 64)
      .def("submit", &Submit, py::arg("id"), py::arg("prompt"), py::arg("max_tokens"),
           py::kw_only(), py::arg("now") = 0.0,
           py::arg("deadline") = std::numeric_limits<double>::infinity(), py::arg("caller") = 0,
           py::arg("hold") = false, py::arg("score_prompt") = false)
      .def("schedule", [](Scheduler& scheduler) { return ValueOrThrow(scheduler.Schedule()); })
      .def("commit", &Commit)
      .def("cancel", &Scheduler::Cancel)
      .def("set_paused", &Scheduler::SetPaused)
      .def("release", &Scheduler::Release)
      .def("expired", &Scheduler::Expired)
      .def("next_deadline", &Scheduler::NextDeadline)
      .def("find",
           [](const Scheduler& scheduler, SequenceId id) -> std::optional<Sequence> {
             const Sequence* const found = scheduler.Find(id);
             return found == nullptr ? std::nullopt : std::optional(*found);
           })
      .def("stats", &Scheduler::stats)
      .def("references",
           [](const Scheduler& scheduler, BlockId b) { return scheduler.pool().references(b); })
      .def("sealed",
           [](const Scheduler& scheduler, BlockId b) { return scheduler.pool().sealed(b); })
      .def_property_readonly("blocks_held",
                             [](const Scheduler& scheduler) { return scheduler.pool().held(); })
      .def_property_readonly("blocks_total",
                             [](const Scheduler& scheduler) { return scheduler.pool().size(); });
}

}  // namespace

void RegisterTestingKv(py::module_& module) {
  RegisterBlockPool(module);
  RegisterBatch(module);
  RegisterSequence(module);
  RegisterScheduler(module);
}

}  // namespace llmr
