// What the process may use of the machine that it runs on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace llmr {

// Physical cores that the process may run on, within its control group's share of time; at least 1.
std::int32_t UsableCores();

// Bytes that can be allocated without swapping, within the control group's limit; 0: unknown.
std::size_t AvailableMemory();

}  // namespace llmr
