// What a caller asks for: prompt, sampling, limits.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "sample/params.h"

namespace llmr {

struct Submission {
  std::vector<TokenId> tokens;
  std::int32_t max_tokens = 0;  // 0: as far as the context goes
  SamplingParams sampling;
  std::vector<std::string> stop;  // UTF-8
  bool ignore_eos = false;        // end tokens are ordinary tokens without text
  double deadline = std::numeric_limits<double>::infinity();  // seconds from now
  std::uint64_t caller = 0;                                   // who asks, for fairness
  bool hold = false;  // keep the KV for the conversation's next turn, until released
};

// Most stop strings of a request, and most bytes of each.
inline constexpr std::size_t kMaxStops = 64;
inline constexpr std::size_t kMaxStopBytes = 4096;

// All but the lengths of prompt and answer (TokenLimit). Errors: INVALID_ARGUMENT /
// INVALID_TOKEN, SAMPLING_PARAMS, STOP_STRINGS, DEADLINE, naming field, value and what is allowed.
Status Validate(const Submission& submission, std::int32_t vocabulary);

}  // namespace llmr
