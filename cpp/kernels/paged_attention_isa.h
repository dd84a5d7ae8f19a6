// The kernels that are compiled, one source file an instruction set. Calling one needs a machine
// that has it: PagedAttentionIsas() looks.
#pragma once

#include "kernels/paged_attention.h"

namespace llmr::kernel {

void PagedAttentionGenericF32(const PagedAttentionArgs& args, int thread, int threads);
void PagedAttentionGenericF16(const PagedAttentionArgs& args, int thread, int threads);

#if defined(__x86_64__)
void PagedAttentionAvx2F32(const PagedAttentionArgs& args, int thread, int threads);
void PagedAttentionAvx2F16(const PagedAttentionArgs& args, int thread, int threads);
void PagedAttentionAvx512F32(const PagedAttentionArgs& args, int thread, int threads);
void PagedAttentionAvx512F16(const PagedAttentionArgs& args, int thread, int threads);
#endif

}  // namespace llmr::kernel
