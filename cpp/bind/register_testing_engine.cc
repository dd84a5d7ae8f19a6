// _core.testing.hash_engine: an engine whose model is a hash of the tokens in its KV cache.
//
// It shows what a real model cannot: exactly which tokens a sequence saw, batches that fail, logits
// that are no numbers, and steps one by one.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

#include "bind/exceptions.h"
#include "bind/register.h"
#include "engine/engine.h"

namespace py = pybind11;

namespace llmr {
namespace {

// Shared between the test's thread and the engine's; all guarded by the mutex.
class Control {
 public:
  // From now on each step waits until it is allowed.
  void Hold() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  void Allow(std::int64_t steps) {
    const std::lock_guard lock(mutex_);
    allowed_ += steps;
    changed_.notify_all();
  }
  void Unhold() {
    const std::lock_guard lock(mutex_);
    holding_ = false;
    changed_.notify_all();
  }
  // Waits until so many batches were asked for, ever.
  void AwaitBatches(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return batches_.size() >= count; });
  }
  std::vector<std::vector<SequenceId>> batches() {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  void Enter(const Batch& batch) {
    std::unique_lock lock(mutex_);
    auto& sequences = batches_.emplace_back();
    for (const BatchItem& item : batch.items) {
      sequences.push_back(item.sequence);
    }
    changed_.notify_all();
    changed_.wait(lock, [&] { return !holding_ || allowed_ > 0; });
    allowed_ -= holding_ ? 1 : 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool holding_ = false;
  std::int64_t allowed_ = 0;
  std::vector<std::vector<SequenceId>> batches_;
};

struct Traps {
  TokenId nan = -1;        // a sequence that holds it gets logits that are no numbers
  TokenId failing = -1;    // a batch that holds it fails
  TokenId data_loss = -1;  // likewise, and with it the model
};

class HashRunner : public BatchRunner {
 public:
  HashRunner(std::shared_ptr<Control> control, Traps traps, std::int32_t vocabulary,
             std::int32_t blocks, std::int32_t block_size)
      : control_(std::move(control)),
        traps_(traps),
        vocabulary_(vocabulary),
        block_size_(block_size),
        slots_(static_cast<std::size_t>(blocks) * static_cast<std::size_t>(block_size), -1) {}

  Result<std::span<const float>> Run(const Batch& batch) override {
    control_->Enter(batch);
    for (const TokenId token : batch.tokens) {
      if (token == traps_.failing) {
        return Error{ErrorCode::kInternal, "TRAPPED", "a batch that fails"};
      }
      if (token == traps_.data_loss) {
        return Error{ErrorCode::kDataLoss, "TRAPPED", "a model that is gone"};
      }
    }
    logits_.clear();
    for (const BatchItem& item : batch.items) {
      RunItem(batch, item);
    }
    return std::span<const float>(logits_);
  }

 private:
  TokenId& Slot(const BatchItem& item, std::int32_t position) {
    const BlockId block = item.blocks.at(static_cast<std::size_t>(position / block_size_));
    return slots_.at(static_cast<std::size_t>(block) * static_cast<std::size_t>(block_size_) +
                     static_cast<std::size_t>(position % block_size_));
  }

  void RunItem(const Batch& batch, const BatchItem& item) {
    const std::int32_t end = item.start_position + item.token_count;
    for (std::int32_t i = 0; i < item.token_count; ++i) {
      Slot(item, item.start_position + i) =
          batch.tokens.at(static_cast<std::size_t>(item.first_token + i));
    }
    std::uint64_t hash = 0;
    bool trapped = false;
    for (std::int32_t position = 0; position < end; ++position) {
      const TokenId token = Slot(item, position);
      trapped = trapped || token == traps_.nan;
      hash = HashPrefix(hash, std::span(&token, 1));
      if (position >= end - item.output_count) {
        AddRow(hash, trapped);
      }
    }
  }

  void AddRow(std::uint64_t hash, bool trapped) {
    for (TokenId token = 0; token < vocabulary_; ++token) {
      const std::uint64_t bits = HashPrefix(hash, std::span(&token, 1)) >> 40;
      logits_.push_back(trapped ? std::numeric_limits<float>::quiet_NaN()
                                : static_cast<float>(bits) / static_cast<float>(1 << 21) - 4.0F);
    }
  }

  const std::shared_ptr<Control> control_;
  const Traps traps_;
  const std::int32_t vocabulary_;
  const std::int32_t block_size_;
  std::vector<TokenId> slots_;  // the "KV cache"
  std::vector<float> logits_;
};

std::unique_ptr<Engine> MakeHashEngine(std::shared_ptr<Control> control,
                                       std::vector<std::string> token_bytes,
                                       const std::vector<TokenId>& end_tokens, std::int32_t blocks,
                                       std::int32_t block_size, std::int32_t context_length,
                                       std::int32_t max_sequences, std::int32_t batch_tokens,
                                       std::int32_t max_outputs, bool prefix_cache,
                                       std::int32_t max_undelivered, TokenId nan_token,
                                       TokenId failing_token, TokenId data_loss_token) {
  const auto size = static_cast<std::int32_t>(token_bytes.size());
  SchedulerConfig config;
  config.context_length = context_length;
  config.max_sequences = max_sequences;
  config.batch_tokens = batch_tokens;
  config.max_outputs = max_outputs;
  config.prefix_cache = prefix_cache;
  BlockPool pool = ValueOrThrow(BlockPool::Create({.blocks = blocks, .block_size = block_size}));
  auto runner = std::make_unique<HashRunner>(std::move(control),
                                             Traps{nan_token, failing_token, data_loss_token}, size,
                                             blocks, block_size);
  return ValueOrThrow(Engine::Start(
      {.runner = std::move(runner),
       .scheduler = ValueOrThrow(Scheduler::Create(config, std::move(pool))),
       .vocabulary = ValueOrThrow(Vocabulary::Create(std::move(token_bytes), end_tokens, size)),
       .max_undelivered = max_undelivered,
       .model = {"hash", 0},
       .memory = {}}));
}

}  // namespace

void RegisterTestingEngine(py::module_& testing) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;
  py::class_<Control, std::shared_ptr<Control>>(testing, "Control")
      .def(py::init<>())
      .def("hold", &Control::Hold)
      .def("allow", &Control::Allow)
      .def("unhold", &Control::Unhold)
      .def("await_batches", &Control::AwaitBatches, WithoutGil())
      .def("batches", &Control::batches);
  testing.def("hash_engine", &MakeHashEngine, py::arg("control"), py::arg("token_bytes"),
              py::arg("end_tokens"), py::kw_only(), py::arg("blocks") = 64,
              py::arg("block_size") = 4, py::arg("context_length") = 128,
              py::arg("max_sequences") = 4, py::arg("batch_tokens") = 32,
              py::arg("max_outputs") = 32, py::arg("prefix_cache") = true,
              py::arg("max_undelivered") = 1 << 20, py::arg("nan_token") = -1,
              py::arg("failing_token") = -1, py::arg("data_loss_token") = -1);
}

}  // namespace llmr
