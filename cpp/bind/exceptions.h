// The one place where an Error of the core becomes a Python exception: _core.CoreError(code,
// reason, message).
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "base/status.h"

namespace llmr {

// Carries an Error from a binding to the translator; never thrown outside bind/.
class CoreException : public std::exception {
 public:
  explicit CoreException(Error error) : error_(std::move(error)) {}
  const Error& error() const { return error_; }
  const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  Error error_;
};

// The value of a result; throws its error as CoreException. Needs no GIL: the translator runs when
// Python is back.
template <class T>
T ValueOrThrow(Result<T> result) {
  if (!result.ok()) {
    throw CoreException(std::move(result).error());
  }
  return std::move(result).value();
}

inline void ThrowIfError(Status status) {
  if (!status.ok()) {
    throw CoreException(std::move(status).error());
  }
}

}  // namespace llmr
