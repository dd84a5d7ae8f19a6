// What ggml has to say.
#pragma once

namespace llmr {

// Passes ggml's errors on to standard error, and nothing else of what it logs: the rest is about
// its own workings and would mix with the service's log. Process-wide, as ggml's logger is.
// Idempotent; thread-safe.
void QuietGgmlLog();

}  // namespace llmr
