// Starts and ends libvips.
#pragma once

#include "imaging/format.h"

namespace imaging {

// Must live while decode and encode are used.  Its settings suit a process that reads untrusted
// pictures: only the loaders of the given formats, from memory, no cache of operations, one libvips
// thread per call (with more, a slightly truncated file is sometimes accepted), no output of
// libvips on stderr.  JPEG and PNG need no loader of libvips.
//
// Make and destroy it on the main thread, at most one at a time, while no other thread uses
// imaging/.  libvips cannot be started again after it has ended.  Throws std::runtime_error if
// libvips cannot be started, or was built without the loader of a format.
class Library {
 public:
  explicit Library(FormatSet formats = kDefaultFormats);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

}  // namespace imaging
