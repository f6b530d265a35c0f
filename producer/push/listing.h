// Lists the files to push, one at a time, so that neither their contents nor the whole tree is in
// memory.
//
// A file stands for itself.  A directory stands for the regular files below it, depth first and in
// order of name, without hidden files and links to directories.  `-` stands for a list of paths,
// one per line.  A file that cannot be read is an item with the reason, so that every path is
// reported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "producer/push/push_item.h"

namespace producer {

// Reads lines from a file descriptor without blocking.
class Lines {
 public:
  explicit Lines(int descriptor) : descriptor_(descriptor) {}

  // `later`: there is no complete line yet.  `end`: there will be no more.
  enum class Next : std::uint8_t { line, later, end };
  // Reads a line without its newline.  A line longer than kLineMax is split into several.
  Next next(std::string& line);

  static constexpr std::size_t kLineMax = 64 * 1024;  // Bytes.

 private:
  bool fill();

  int descriptor_;
  bool ended_ = false;
  std::string buffer_;
};

class Listing {
 public:
  // `list` is the descriptor from which `-` reads.
  Listing(std::vector<std::string> paths, int list);

  // Returns the next file with its contents.  A file above `bytes_max` bytes is not read.
  Item next(std::uint64_t bytes_max);

 private:
  bool expand(const std::filesystem::path& path, Item& failed);

  std::vector<std::filesystem::path> stack_;  // The paths not visited yet, the next one last.
  Lines list_;
};

// Returns the number of files that `paths` stand for; files of a list `-` are not counted.
std::uint64_t count_files(const std::vector<std::string>& paths);

// Reads one regular file as an item.
Item read_image(const std::filesystem::path& path, std::uint64_t bytes_max);

}  // namespace producer
