// Errors as values: Result<T> and Status.
//
// Every fallible function of the core returns one of these; nothing throws across a layer. bind/
// turns an Error into a Python exception, once.
//
//   Result<Header> ReadHeader(Cursor& cursor);
//
//   Status Load(Cursor& cursor) {
//     LLMR_ASSIGN_OR_RETURN(Header header, ReadHeader(cursor));   // returns the Error where there
//     is one LLMR_RETURN_IF_ERROR(Check(header)); if (header.version != 3) {
//       return Error{ErrorCode::kUnimplemented, "GGUF_UNSUPPORTED", "version is 1; allowed: 2, 3"};
//     }
//     return Ok();
//   }
#pragma once

#include <cassert>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace llmr {

// What a caller can do about it, in gRPC's words.
enum class ErrorCode {
  kInvalidArgument,     // the request is wrong whatever the state
  kNotFound,            // the named thing does not exist
  kFailedPrecondition,  // the system, or a file, is not in a state that allows this
  kResourceExhausted,   // a limit is reached; later may work
  kUnimplemented,       // known, but not supported here
  kInternal,            // a defect of ours, or of a library below
  kDataLoss,            // data went away or was damaged under our hands
};

// "INVALID_ARGUMENT" and so on: the name that gRPC gives the code.
constexpr const char* ErrorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorCode::kNotFound:
      return "NOT_FOUND";
    case ErrorCode::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case ErrorCode::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case ErrorCode::kUnimplemented:
      return "UNIMPLEMENTED";
    case ErrorCode::kInternal:
      return "INTERNAL";
    case ErrorCode::kDataLoss:
      return "DATA_LOSS";
  }
  return "INTERNAL";
}

struct Error {
  ErrorCode code;
  std::string reason;   // stable, UPPER_SNAKE: programs compare it
  std::string message;  // for people: the field, its value, what is allowed
};

// A value or the Error that took its place. Moves as T moves; a plain value, without
// synchronisation of its own. REQUIRES of the accessors: value(), * and -> only where ok(); error()
// only where !ok(). Checked in debug builds.
template <class T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose, so that `return value;` and `return Error{…};` both read naturally.
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  template <class U>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, T>)
  Result(U&& value)  // NOLINT
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return assert(ok()), *std::get_if<0>(&state_); }
  const T& value() const& { return assert(ok()), *std::get_if<0>(&state_); }
  T&& value() && { return assert(ok()), std::move(*std::get_if<0>(&state_)); }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& { return assert(!ok()), *std::get_if<1>(&state_); }
  Error&& error() && { return assert(!ok()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : state_(std::move(error)) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const Error& error() const& { return assert(!ok()), *std::get_if<1>(&state_); }
  Error&& error() && { return assert(!ok()), std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<std::monostate, Error> state_;
};

using Status = Result<void>;

inline Status Ok() { return {}; }

}  // namespace llmr

#define LLMR_CONCAT_INNER(a, b) a##b
#define LLMR_CONCAT(a, b) LLMR_CONCAT_INNER(a, b)

// Returns the Error of `expression` (any Result) from the enclosing function; goes on where there
// is none.
#define LLMR_RETURN_IF_ERROR(expression)     \
  do {                                       \
    auto llmr_status = (expression);         \
    if (!llmr_status.ok()) {                 \
      return std::move(llmr_status).error(); \
    }                                        \
  } while (false)

// Declares or assigns `target` from the value of `expression` (a Result<T>), or returns its Error.
#define LLMR_ASSIGN_OR_RETURN(target, expression) \
  LLMR_ASSIGN_OR_RETURN_AS(LLMR_CONCAT(llmr_result_, __LINE__), target, expression)
#define LLMR_ASSIGN_OR_RETURN_AS(result, target, expression) \
  auto result = (expression);                                \
  if (!result.ok()) {                                        \
    return std::move(result).error();                        \
  }                                                          \
  target = std::move(result).value()
