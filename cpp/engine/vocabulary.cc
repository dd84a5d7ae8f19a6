#include "engine/vocabulary.h"

#include <utility>

namespace llmr {

Result<Vocabulary> Vocabulary::Create(std::vector<std::string> bytes,
                                      const std::vector<TokenId>& end_tokens, std::int32_t size) {
  const auto invalid = [](const std::string& message) {
    return Error{ErrorCode::kInvalidArgument, "TOKEN_TABLE", message};
  };
  if (bytes.size() > static_cast<std::size_t>(size)) {
    return invalid("token_bytes has " + std::to_string(bytes.size()) +
                   " tokens; allowed: at most the model's " + std::to_string(size));
  }
  for (const TokenId token : end_tokens) {
    if (token < 0 || token >= size) {
      return invalid("end token is " + std::to_string(token) + "; allowed: 0 to " +
                     std::to_string(size - 1));
    }
  }
  Vocabulary vocabulary;
  vocabulary.bytes_ = std::move(bytes);
  vocabulary.end_tokens_.insert(end_tokens.begin(), end_tokens.end());
  vocabulary.size_ = size;
  return vocabulary;
}

std::string_view Vocabulary::Bytes(TokenId token) const {
  const auto index = static_cast<std::size_t>(token);
  return index < bytes_.size() && !Ends(token) ? std::string_view(bytes_[index])
                                               : std::string_view();
}

}  // namespace llmr
