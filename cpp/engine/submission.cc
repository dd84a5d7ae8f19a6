#include "engine/submission.h"

#include <cmath>

namespace llmr {
namespace {

Status CheckTokens(const std::vector<TokenId>& tokens, std::int32_t vocabulary) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || tokens[i] >= vocabulary) {
      return Error{ErrorCode::kInvalidArgument, "INVALID_TOKEN",
                   "token " + std::to_string(i) + " of the prompt is " + std::to_string(tokens[i]) +
                       "; allowed: 0 to " + std::to_string(vocabulary - 1)};
    }
  }
  return Ok();
}

Status CheckStops(const std::vector<std::string>& stops) {
  const auto invalid = [](const std::string& message) {
    return Error{ErrorCode::kInvalidArgument, "STOP_STRINGS", message};
  };
  if (stops.size() > kMaxStops) {
    return invalid("stop has " + std::to_string(stops.size()) + " strings; allowed: at most " +
                   std::to_string(kMaxStops));
  }
  for (std::size_t i = 0; i < stops.size(); ++i) {
    if (stops[i].empty() || stops[i].size() > kMaxStopBytes) {
      return invalid("stop string " + std::to_string(i) + " has " +
                     std::to_string(stops[i].size()) + " bytes; allowed: 1 to " +
                     std::to_string(kMaxStopBytes));
    }
  }
  return Ok();
}

}  // namespace

Status Validate(const Submission& submission, std::int32_t vocabulary) {
  LLMR_RETURN_IF_ERROR(CheckTokens(submission.tokens, vocabulary));
  LLMR_RETURN_IF_ERROR(Validate(submission.sampling, vocabulary));
  LLMR_RETURN_IF_ERROR(CheckStops(submission.stop));
  if (std::isnan(submission.deadline)) {
    return Error{ErrorCode::kInvalidArgument, "DEADLINE",
                 "deadline is nan; allowed: seconds from now, or infinity"};
  }
  return Ok();
}

}  // namespace llmr
