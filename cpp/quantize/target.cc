#include "quantize/target.h"

#include <filesystem>
#include <system_error>

#include "base/quote.h"

namespace llmr {
namespace {

namespace fs = std::filesystem;

Error Unwritable(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kFailedPrecondition, "FILE_UNWRITABLE",
               "path " + Quote(path) + ": " + why};
}

Status CheckPlace(const std::string& path, bool replace) {
  std::error_code error;  // what cannot be looked at cannot be written either
  const fs::file_status found = fs::symlink_status(path, error);
  if (!fs::exists(found)) {
    return Ok();
  }
  if (!replace) {
    return FileExists(path);
  }
  const bool is_file = fs::is_regular_file(found) || fs::is_symlink(found);
  return is_file ? Ok() : Status(Unwritable(path, "is no regular file"));
}

Status CheckFree(const std::string& path, std::size_t size) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  const fs::space_info space = fs::space(folder.empty() ? "." : folder, error);
  if (error) {
    return Unwritable(path, error.message());
  }
  if (space.available < size) {
    return Error{ErrorCode::kResourceExhausted, "DISK_FULL",
                 "path " + Quote(path) + ": needs " + std::to_string(size) + " bytes; free are " +
                     std::to_string(space.available)};
  }
  return Ok();
}

}  // namespace

Result<AtomicFile> CreateTarget(const std::string& path, std::size_t size, bool replace) {
  LLMR_RETURN_IF_ERROR(CheckPlace(path, replace));
  LLMR_RETURN_IF_ERROR(CheckFree(path, size));
  return AtomicFile::Create(path, AtomicFile::kUsual);
}

Status CommitTarget(AtomicFile& file, bool replace) {
  return replace ? file.Commit() : file.CommitNew();
}

}  // namespace llmr
