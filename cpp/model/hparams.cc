#include "model/hparams.h"

#include <string>

#include "kernels/paged_attention.h"
#include "model/weights.h"

namespace llmr {
namespace {

constexpr std::int64_t kMaxWidth = 1 << 20;  // no model is near; products of two fit in 64 bits

Status ReadHeads(const HparamsReader& reader, Hparams& hparams) {
  LLMR_ASSIGN_OR_RETURN(hparams.heads, reader.Count("attention.head_count", 1, kMaxWidth));
  LLMR_ASSIGN_OR_RETURN(hparams.kv_heads,
                        reader.CountOr("attention.head_count_kv", hparams.heads, 1, kMaxWidth));
  if (hparams.heads % hparams.kv_heads != 0) {
    return reader.Invalid("attention.head_count_kv", std::to_string(hparams.kv_heads),
                          "divisors of the head count " + std::to_string(hparams.heads));
  }
  const bool derived = !reader.Has("attention.key_length");
  if (derived && hparams.embedding % hparams.heads != 0) {
    return reader.Invalid("attention.head_count", std::to_string(hparams.heads),
                          "divisors of the embedding length " + std::to_string(hparams.embedding));
  }
  LLMR_ASSIGN_OR_RETURN(
      hparams.head_dim,
      reader.CountOr("attention.key_length", hparams.embedding / hparams.heads, 1, kMaxHeadDim));
  if (hparams.head_dim > kMaxHeadDim) {
    return reader.Invalid("attention.head_count", std::to_string(hparams.heads),
                          "a head dimension of at most " + std::to_string(kMaxHeadDim) + ", not " +
                              std::to_string(hparams.head_dim));
  }
  LLMR_ASSIGN_OR_RETURN(const std::int32_t value_length,
                        reader.CountOr("attention.value_length", hparams.head_dim, 1, kMaxWidth));
  if (value_length != hparams.head_dim) {
    return reader.Unsupported("attention.value_length", std::to_string(value_length),
                              "the key length " + std::to_string(hparams.head_dim));
  }
  if (std::int64_t{hparams.heads} * hparams.head_dim > kMaxWidth) {
    return reader.Invalid("attention.head_count", std::to_string(hparams.heads),
                          "heads × head dimension up to " + std::to_string(kMaxWidth));
  }
  return Ok();
}

// Variants that share the architecture's name but need another graph.
Status RefuseVariants(const HparamsReader& reader) {
  LLMR_ASSIGN_OR_RETURN(const std::int32_t experts,
                        reader.CountOr("expert_count", 0, 0, kMaxWidth));
  if (experts > 0) {
    return reader.Unsupported("expert_count", std::to_string(experts), "models without experts");
  }
  LLMR_ASSIGN_OR_RETURN(const bool causal, reader.FlagOr("attention.causal", true));
  if (!causal) {
    return reader.Unsupported("attention.causal", "false", "causal attention");
  }
  return Ok();
}

Result<std::int32_t> ReadVocabulary(const GgufShards& shards) {
  constexpr std::int64_t kMaxVocabulary = 1 << 24;
  const TensorInfo* embedding = shards.FindTensor(kTokenEmbedding);
  if (embedding == nullptr) {
    return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID",
                 std::string("tensor '") + kTokenEmbedding + "' is missing"};
  }
  if (embedding->shape[1] > kMaxVocabulary) {
    return Error{ErrorCode::kFailedPrecondition, "GGUF_INVALID",
                 std::string("tensor '") + kTokenEmbedding + "' has " +
                     std::to_string(embedding->shape[1]) + " rows; allowed: 1 to " +
                     std::to_string(kMaxVocabulary)};
  }
  return static_cast<std::int32_t>(embedding->shape[1]);
}

}  // namespace

Result<Hparams> ReadDecoderHparams(const GgufShards& shards, const HparamsReader& reader,
                                   const std::string& architecture) {
  LLMR_RETURN_IF_ERROR(RefuseVariants(reader));
  Hparams hparams;
  hparams.architecture = architecture;
  LLMR_ASSIGN_OR_RETURN(hparams.layers, reader.Count("block_count", 1, 1024));
  LLMR_ASSIGN_OR_RETURN(hparams.embedding, reader.Count("embedding_length", 1, kMaxWidth));
  LLMR_ASSIGN_OR_RETURN(hparams.feed_forward, reader.Count("feed_forward_length", 1, kMaxWidth));
  LLMR_ASSIGN_OR_RETURN(hparams.context_length,
                        reader.Count("context_length", 1, std::int64_t{1} << 30));
  LLMR_RETURN_IF_ERROR(ReadHeads(reader, hparams));
  LLMR_ASSIGN_OR_RETURN(hparams.vocabulary, ReadVocabulary(shards));
  return hparams;
}

}  // namespace llmr
