// Plain structs of the core as Python classes: each field by name, once.
#pragma once

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <type_traits>
#include <utility>

#include "bind/exceptions.h"

namespace llmr {

// A field and how to reach it: [](T& object) -> auto& { return object.field; }.
template <class Reach>
struct Field {
  const char* name;
  Reach reach;
};
template <class Reach>
Field(const char*, Reach) -> Field<Reach>;

// A value as an error shows it: Python's repr, cut to a bearable length.
inline std::string ReprOf(const pybind11::handle& value) {
  constexpr std::size_t kMost = 80;
  std::string text = pybind11::repr(value);
  return text.size() > kMost ? text.substr(0, kMost) + "…" : text;
}

// Sets a field from Python. Throws INVALID_ARGUMENT / ARGUMENT_TYPE where the value has another
// type or does not fit into the field's.
template <class Value>
void SetField(Value& field, const char* name, const pybind11::handle& value) {
  try {
    field = value.cast<Value>();
  } catch (const pybind11::cast_error&) {
    throw CoreException(Error{
        ErrorCode::kInvalidArgument, "ARGUMENT_TYPE",
        std::string(name) + " is " + ReprOf(value) + "; allowed: what the field's type can hold"});
  }
}

// Read-only properties.
template <class T, class... Options, class... Reach>
void DefineReadOnly(pybind11::class_<T, Options...>& cls, Field<Reach>... fields) {
  (cls.def_property_readonly(
       fields.name, [reach = fields.reach](T& object) -> const auto& { return reach(object); }),
   ...);
}

// Likewise, and a constructor that takes each field as an optional keyword argument.
template <class T, class... Options, class... Reach>
void DefineRecord(pybind11::class_<T, Options...>& cls, Field<Reach>... fields) {
  cls.def(pybind11::init([fields...](const pybind11::kwargs& arguments) {
    T object;
    for (const auto& [key, value] : arguments) {
      const std::string name = pybind11::cast<std::string>(key);
      const bool known =
          ((name == fields.name && (SetField(fields.reach(object), fields.name, value), true)) ||
           ...);
      if (!known) {
        throw pybind11::type_error("unknown argument " + name);
      }
    }
    return object;
  }));
  DefineReadOnly(cls, fields...);
}

}  // namespace llmr
