// Where a quantised file is written.
#pragma once

#include <cstddef>
#include <string>

#include "base/atomic_file.h"
#include "base/status.h"

namespace llmr {

// A file for `size` bytes at `path`, in place of one that is there only where `replace` says so:
// CommitTarget() asks again. Errors: those of AtomicFile; FAILED_PRECONDITION / FILE_EXISTS;
// FILE_UNWRITABLE also for what is no regular file; RESOURCE_EXHAUSTED / DISK_FULL where so many
// bytes are not free.
Result<AtomicFile> CreateTarget(const std::string& path, std::size_t size, bool replace);

// Errors: those of AtomicFile::Commit() and CommitNew().
Status CommitTarget(AtomicFile& file, bool replace);

}  // namespace llmr
