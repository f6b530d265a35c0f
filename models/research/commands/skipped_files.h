// The files of a user's folder that are no pictures: they are named and counted, and the rest is
// used.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace models {

class SkippedFiles {
 public:
  explicit SkippedFiles(std::filesystem::path source) : source_(std::move(source)) {}
  // For PictureTree::on_skipped; borrows this.
  std::function<void(const std::string&)> hook();
  // One line, without its end: how many files of the source are skipped, the first ten with their
  // reasons.  Empty if none is.
  std::string summary() const;

 private:
  std::filesystem::path source_;
  std::vector<std::string> files_;
};

}  // namespace models
