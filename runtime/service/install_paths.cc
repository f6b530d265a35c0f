#include "runtime/service/install_paths.h"

namespace runtime {
namespace {

bool there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

std::filesystem::path program_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path();
}

std::filesystem::path installed_path(const std::filesystem::path& relative) {
  // A checkout comes first, so that a developer's files win over an installed package.
  if (there(relative)) return relative;
  const std::filesystem::path packaged =
      program_folder().parent_path() / "share" / "collage" / relative;
  return there(packaged) ? packaged : relative;
}

std::filesystem::path default_pipeline() {
  const std::filesystem::path here = "pipeline.yaml";
  const std::filesystem::path packaged = "/etc/collage/pipeline.yaml";
  return there(here) || !there(packaged) ? here : packaged;
}

}  // namespace runtime
