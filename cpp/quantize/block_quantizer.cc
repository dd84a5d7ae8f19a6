#include "quantize/block_quantizer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/quote.h"

namespace llmr {
namespace {

// What a thread takes at once: a multiple of every block size, small enough for the cache.
constexpr std::int64_t kPiece = 1 << 14;

// Scales of blocks are F16: a value up to its largest finite number fits whatever the type is.
constexpr float kLargestHalf = 65504.0F;

float LargestOf(ggml_type type) {
  const bool wide = type == GGML_TYPE_F32 || type == GGML_TYPE_BF16;
  return wide ? std::numeric_limits<float>::max() : kLargestHalf;
}

// The elements lie in the file at any alignment, so they are copied before they are read.
void ReadFloats(const TensorInfo& tensor, std::int64_t first, std::span<float> values) {
  const std::size_t element = ggml_type_size(tensor.type);
  const std::byte* const data = tensor.data + static_cast<std::size_t>(first) * element;
  if (tensor.type == GGML_TYPE_F32) {
    std::memcpy(values.data(), data, values.size_bytes());
    return;
  }
  std::uint16_t halves[kPiece];
  std::memcpy(halves, data, values.size() * element);
  ggml_get_type_traits(tensor.type)
      ->to_float(halves, values.data(), static_cast<std::int64_t>(values.size()));
}

// One call of QuantizeElements, worked off by its threads.
class Job {
 public:
  Job(const TensorInfo& tensor, ggml_type type, std::int64_t first, std::int64_t count,
      std::byte* out)
      : tensor_(tensor), type_(type), first_(first), end_(first + count), out_(out) {}

  // Piece after piece until there are none left, or an element does not fit.
  void WorkOff() {
    std::array<float, kPiece> values;  // on the stack: a thread that throws ends the process
    while (bad_ == kNone) {
      const std::int64_t start = next_.fetch_add(kPiece);
      if (start >= end_) {
        return;
      }
      const std::int64_t count = std::min(kPiece, end_ - start);
      Quantize(start, std::span(values).first(static_cast<std::size_t>(count)));
    }
  }

  Status Outcome() const {
    if (bad_ == kNone) {
      return Ok();
    }
    const std::string most = LargestOf(type_) == kLargestHalf ? " from -65504 to 65504" : "";
    return Error{ErrorCode::kFailedPrecondition, "TENSOR_NOT_FINITE",
                 "tensor " + Quote(tensor_.name) + ": element " + std::to_string(bad_) +
                     " cannot be stored as " + ggml_type_name(type_) + "; allowed: finite numbers" +
                     most};
  }

 private:
  static constexpr std::int64_t kNone = -1;

  void Quantize(std::int64_t start, std::span<float> values) {
    ReadFloats(tensor_, start, values);
    const float most = LargestOf(type_);
    const auto misfit = std::ranges::find_if_not(
        values, [most](float value) { return std::abs(value) <= most; });  // not NaN either
    if (misfit != values.end()) {
      bad_ = start + (misfit - values.begin());
      return;
    }
    const auto count = static_cast<std::int64_t>(values.size());
    std::byte* const target = out_ + ggml_row_size(type_, start - first_);
    ggml_quantize_chunk(type_, values.data(), target, 0, 1, count, nullptr);
  }

  const TensorInfo& tensor_;
  const ggml_type type_;
  const std::int64_t first_;
  const std::int64_t end_;
  std::byte* const out_;
  std::atomic<std::int64_t> next_ = first_;
  std::atomic<std::int64_t> bad_ = kNone;
};

// `work` on so many threads, this one among them; on fewer where the system has no more.
template <class Work>
void RunOn(std::int64_t threads, const Work& work) {
  std::vector<std::jthread> helpers;
  try {
    for (std::int64_t helper = 1; helper < threads; ++helper) {
      helpers.emplace_back(work);
    }
  } catch (const std::system_error&) {
  }
  work();
}

}  // namespace

std::int64_t ElementsOf(const TensorInfo& tensor) {
  const auto blocks = static_cast<std::int64_t>(tensor.size / ggml_type_size(tensor.type));
  return blocks * ggml_blck_size(tensor.type);
}

Status QuantizeElements(const TensorInfo& tensor, ggml_type type, std::int64_t first,
                        std::int64_t count, int threads, std::span<std::byte> out) {
  ggml_quantize_init(type);  // its tables, before threads ask for them at once
  Job job(tensor, type, first, count, out.data());
  RunOn(std::min<std::int64_t>(threads, (count + kPiece - 1) / kPiece), [&] { job.WorkOff(); });
  return job.Outcome();
}

}  // namespace llmr
