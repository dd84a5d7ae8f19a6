#include "model/ggml_log.h"

#include <ggml.h>

#include <cstdio>
#include <mutex>

namespace llmr {
namespace {

void LogErrors(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR) {
    std::fputs(text, stderr);
  }
}

}  // namespace

void QuietGgmlLog() {
  static std::once_flag once;
  std::call_once(once, [] { ggml_log_set(LogErrors, nullptr); });
}

}  // namespace llmr
