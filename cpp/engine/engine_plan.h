// What is loaded for a config and a model, before any of it is: one set of sizes for loading and
// for estimating.
#pragma once

#include "base/status.h"
#include "engine/engine_config.h"
#include "engine/runner.h"
#include "kv/kv_cache.h"
#include "model/model.h"

namespace llmr {

struct EnginePlan {
  EngineSizes sizes;
  KvCacheConfig cache;
  RunnerConfig runner;
};

// What the model is loaded or planned with; opens the adapters. Errors: those of GgufShards::Open.
Result<ModelOptions> ModelOptionsFor(const EngineConfig& config);

// `model` may be a planned one. REQUIRES: Validate(config). Errors: those of ComputeSizes.
Result<EnginePlan> PlanEngine(const EngineConfig& config, const Model& model);

}  // namespace llmr
