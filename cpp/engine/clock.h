// The engine's clock.
#pragma once

#include <chrono>

namespace llmr {

// Seconds since an arbitrary moment, never backwards.
inline double SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace llmr
