// What tokens look like as text, and which of them end an answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "base/status.h"

namespace llmr {

// Immutable, so any thread may use it.
class Vocabulary {
 public:
  // `bytes`: of each token, from 0; tokens that it lacks, up to the model's `size`, have none.
  // Errors: INVALID_ARGUMENT / TOKEN_TABLE for more tokens than the model has, or an end token
  // that it lacks.
  static Result<Vocabulary> Create(std::vector<std::string> bytes,
                                   const std::vector<TokenId>& end_tokens, std::int32_t size);

  std::int32_t size() const { return size_; }
  bool Ends(TokenId token) const { return end_tokens_.contains(token); }
  // Empty for end tokens. REQUIRES: token is 0 to size() - 1.
  std::string_view Bytes(TokenId token) const;

 private:
  Vocabulary() = default;

  std::vector<std::string> bytes_;
  std::unordered_set<TokenId> end_tokens_;
  std::int32_t size_ = 0;
};

}  // namespace llmr
