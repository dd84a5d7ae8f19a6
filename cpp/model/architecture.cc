#include "model/architecture.h"

#include <array>

#include "base/quote.h"

namespace llmr {
namespace {

constexpr std::array<const Architecture*, 2> kArchitectures = {&kLlama, &kGpt2};

}  // namespace

Result<const Architecture*> FindArchitecture(std::string_view name) {
  std::string known;
  for (const Architecture* architecture : kArchitectures) {
    if (architecture->name == name) {
      return architecture;
    }
    known += (known.empty() ? "" : ", ") + std::string(architecture->name);
  }
  return Error{ErrorCode::kUnimplemented, "MODEL_UNSUPPORTED",
               "metadata 'general.architecture' is " + Quote(name) + "; supported: " + known};
}

}  // namespace llmr
