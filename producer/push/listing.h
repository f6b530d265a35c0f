// The files to push, one at a time: neither their contents nor the whole tree are ever in memory.
//
// A file stands for itself; a directory for the regular files below it, in order of name, depth
// first, hidden ones and links to directories left out; `-` for the paths on a list, a line
// each.  What cannot be read is an item too, with the reason, so that nothing goes unsaid.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "producer/push/push_item.h"

namespace producer {

// The lines of a file descriptor, never waiting for one.
class Lines {
 public:
  explicit Lines(int descriptor) : descriptor_(descriptor) {}

  enum class Next : std::uint8_t { line, later, end };
  // `line` is without its newline.  Lines above kLineMax are cut into several.
  Next next(std::string& line);

  static constexpr std::size_t kLineMax = 64 * 1024;

 private:
  bool fill();

  int descriptor_;
  bool ended_ = false;
  std::string buffer_;
};

class Listing {
 public:
  // `list` is the descriptor behind `-`.
  Listing(std::vector<std::string> paths, int list);

  // The next file with its contents; one above `bytes_max` is not read.
  Item next(std::uint64_t bytes_max);

 private:
  bool expand(const std::filesystem::path& path, Item& failed);

  std::vector<std::filesystem::path> stack_;  // Still to come, the next one last.
  Lines list_;
};

// How many files `paths` stand for; lists on `-` are not counted.
std::uint64_t count_files(const std::vector<std::string>& paths);

// The contents of one regular file as an item.
Item read_image(const std::filesystem::path& path, std::uint64_t bytes_max);

}  // namespace producer
