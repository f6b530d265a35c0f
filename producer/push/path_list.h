// A list of paths, as shells and editors write one, read from a descriptor without blocking.
//
// Paths end with a newline or, as `find -print0` writes them, with NUL.  If the begin of the list
// has a NUL, only NUL ends a path, so that names may have newlines; a NUL that comes later ends a
// path too, because no path has one.  A byte order mark of UTF-8 is skipped.  What is no list, such
// as an image or UTF-16, is recognised by its first bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace producer {

class PathList {
 public:
  // The descriptor stays the caller's.
  explicit PathList(int descriptor) : descriptor_(descriptor) {}

  // path:   `text` is the next path; it ends with \r if the list has CRLF line ends.
  // later:  there is no whole path yet.
  // end:    there will be no more.
  // fault:  `text` says why the list cannot be read any further; then it ends.
  enum class Next : std::uint8_t { path, later, end, fault };
  Next next(std::string& text);

  static constexpr std::size_t kPathMax = 64 * 1024;  // Bytes; a longer path is a fault.

 private:
  enum class Read : std::uint8_t { some, later, end };
  Read fill();
  Next fail(std::string& text, const std::string& why);
  std::size_t find_end() const;
  std::string begin();

  int descriptor_;
  bool begun_ = false;  // The first bytes have been looked at.
  bool null_ = false;   // Only NUL ends a path.
  bool ended_ = false;
  int error_ = 0;  // The errno of a read that failed.
  std::string buffer_;
};

}  // namespace producer
