#include "quantize/quantize.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/atomic_file.h"
#include "base/machine.h"
#include "base/quote.h"
#include "gguf/float_type.h"
#include "gguf/gguf_shards.h"
#include "quantize/block_quantizer.h"
#include "quantize/file_type.h"
#include "quantize/gguf_header.h"
#include "quantize/quantize_plan.h"
#include "quantize/target.h"

namespace llmr {
namespace {

// Elements between two reports: a fraction of a second's work, and a multiple of every block.
constexpr std::int64_t kChunk = 1 << 21;
constexpr int kMostThreads = 1024;

Result<int> ThreadCount(int asked) {
  if (asked < 0 || asked > kMostThreads) {
    return Error{
        ErrorCode::kInvalidArgument, "THREADS",
        "threads is " + std::to_string(asked) + "; allowed: 0 to " + std::to_string(kMostThreads)};
  }
  return asked > 0 ? asked : UsableCores();
}

Status CheckApart(const GgufShards& source, const std::string& target) {
  for (const auto& file : source.files()) {
    std::error_code error;
    if (std::filesystem::equivalent(file->path(), target, error)) {
      return Error{ErrorCode::kInvalidArgument, "TARGET_IS_SOURCE",
                   "target " + Quote(target) + ": is the source; allowed: another file"};
    }
  }
  return Ok();
}

// Writes a plan's target, piece by piece.
class Writer {
 public:
  Writer(const QuantizePlan& plan, AtomicFile& file, int threads, const QuantizeProgress& progress)
      : plan_(plan), file_(file), threads_(threads), progress_(progress) {}

  Status WriteAll() {
    LLMR_RETURN_IF_ERROR(Write(std::as_bytes(std::span(plan_.header))));
    for (const PlannedTensor& tensor : plan_.tensors) {
      LLMR_RETURN_IF_ERROR(PadTo(plan_.header.size() + tensor.offset));
      LLMR_RETURN_IF_ERROR(Report(*tensor.source));
      LLMR_RETURN_IF_ERROR(IsFloatType(tensor.source->type) ? Convert(tensor)
                                                            : Copy(*tensor.source));
    }
    return PadTo(plan_.size);
  }

 private:
  Status Convert(const PlannedTensor& tensor) {
    const std::int64_t elements = ElementsOf(*tensor.source);
    for (std::int64_t first = 0; first < elements; first += kChunk) {
      const std::int64_t count = std::min(kChunk, elements - first);
      chunk_.resize(ggml_row_size(tensor.type, count));
      LLMR_RETURN_IF_ERROR(
          QuantizeElements(*tensor.source, tensor.type, first, count, threads_, chunk_));
      LLMR_RETURN_IF_ERROR(Write(chunk_));
      LLMR_RETURN_IF_ERROR(Report(*tensor.source));
    }
    return Ok();
  }

  // What is no number of ours, such as indices.
  Status Copy(const TensorInfo& tensor) {
    std::span<const std::byte> rest(tensor.data, tensor.size);
    while (!rest.empty()) {
      const auto part = rest.first(std::min<std::size_t>(rest.size(), kChunk));
      chunk_.assign(part.begin(), part.end());
      LLMR_RETURN_IF_ERROR(Write(chunk_));
      LLMR_RETURN_IF_ERROR(Report(tensor));
      rest = rest.subspan(part.size());
    }
    return Ok();
  }

  Status Write(std::span<const std::byte> bytes) {
    written_ += bytes.size();
    return file_.Write(bytes);
  }

  Status PadTo(std::size_t position) {
    const std::vector<std::byte> zeros(position - written_);
    return Write(zeros);
  }

  Status Report(const TensorInfo& tensor) const {
    if (plan_.source->damaged()) {
      return Error{ErrorCode::kDataLoss, "MODEL_FILE_TRUNCATED",
                   "source " + Quote(plan_.source->first().path()) + ": became shorter meanwhile"};
    }
    const double fraction = static_cast<double>(written_) / static_cast<double>(plan_.size);
    if (progress_ && !progress_(tensor.name, fraction)) {
      return Error{ErrorCode::kFailedPrecondition, "CANCELLED", "quantizing was given up"};
    }
    return Ok();
  }

  const QuantizePlan& plan_;
  AtomicFile& file_;
  const int threads_;
  const QuantizeProgress& progress_;
  std::size_t written_ = 0;  // bytes
  std::vector<std::byte> chunk_;
};

}  // namespace

Status Quantize(const std::string& source, const std::string& target,
                const QuantizeOptions& options) {
  LLMR_ASSIGN_OR_RETURN(const FileType type, ParseFileType(options.type));
  LLMR_ASSIGN_OR_RETURN(const int threads, ThreadCount(options.threads));
  LLMR_ASSIGN_OR_RETURN(auto opened, GgufShards::Open(source));
  LLMR_RETURN_IF_ERROR(CheckApart(*opened, target));
  LLMR_ASSIGN_OR_RETURN(const QuantizePlan plan, PlanQuantization(std::move(opened), type));
  LLMR_ASSIGN_OR_RETURN(AtomicFile file, CreateTarget(target, plan.size, options.replace));
  LLMR_RETURN_IF_ERROR(Writer(plan, file, threads, options.on_progress).WriteAll());
  return CommitTarget(file, options.replace);
}

}  // namespace llmr
