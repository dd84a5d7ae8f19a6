// From a file to a running engine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/engine.h"
#include "engine/engine_config.h"

namespace llmr {

// What the tokenizer knows and the engine needs.
struct TokenTable {
  std::vector<std::string> bytes;  // of each token, from 0
  std::vector<TokenId> end_tokens;
};

// Told the phase ("model", "cache") and how much of it is done, 0 to 1, in the loading thread;
// false gives up. May be empty.
using LoadProgress = std::function<bool(const std::string& phase, double fraction)>;

// Loads the model, allocates the KV cache and starts the engine. Errors: those of
// Validate(EngineConfig), ComputeSizes, GgufShards::Open, Model::Load, KvCache::Create,
// Runner::Create, Vocabulary::Create and Engine::Start; FAILED_PRECONDITION / CANCELLED where
// progress said so.
Result<std::unique_ptr<Engine>> LoadEngine(const EngineConfig& config, TokenTable tokens,
                                           const LoadProgress& progress);

}  // namespace llmr
