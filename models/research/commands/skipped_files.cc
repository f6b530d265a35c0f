#include "models/research/commands/skipped_files.h"

#include <algorithm>

namespace models {

std::function<void(const std::string&)> SkippedFiles::hook() {
  return [this](const std::string& file) { files_.push_back(file); };
}

std::string SkippedFiles::summary() const {
  constexpr std::size_t kNamedMax = 10;
  if (files_.empty()) return {};
  std::string line = source_.string() + ": " + std::to_string(files_.size()) +
                     (files_.size() == 1 ? " file is skipped: " : " files are skipped: ");
  for (std::size_t i = 0; i < std::min(files_.size(), kNamedMax); ++i) {
    line += (i == 0 ? "" : ", ") + files_[i];
  }
  return files_.size() > kNamedMax ? line + ", .." : line;
}

}  // namespace models
