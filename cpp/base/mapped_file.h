// A file as read-only memory.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/mapping_guard.h"
#include "base/status.h"

namespace llmr {

// Maps a regular file read-only and owns the mapping. Survives that the file shrinks while it is
// mapped: the missing pages then read as zeros and damaged() turns true (mapping_guard.h says how).
// Movable; the bytes stay where they are. Thread-safe once opened: reading and damaged() need no
// lock.
class MappedFile {
 public:
  // Errors: NOT_FOUND / FILE_NOT_FOUND; FAILED_PRECONDITION / FILE_UNREADABLE where it is no
  // regular file, is empty or may not be read; RESOURCE_EXHAUSTED / TOO_MANY_MAPPINGS or
  // OUT_OF_MEMORY.
  static Result<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;
  ~MappedFile();

  const std::byte* data() const;
  size_t size() const;  // bytes, at the time of Open()
  std::span<const std::byte> bytes() const { return {data(), size()}; }

  // True once a page could not be read: what was read since may be zeros that the file never held.
  bool damaged() const;

 private:
  class Mapping;
  explicit MappedFile(std::unique_ptr<Mapping> mapping);

  std::unique_ptr<Mapping> mapping_;
};

}  // namespace llmr
