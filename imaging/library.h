// Starts and ends libvips.
#pragma once

namespace imaging {

// Must live while decode and encode are used.  Its settings suit a process that reads untrusted
// pictures: only the loaders for JPEG and PNG from memory, no cache of operations, one libvips
// thread per call (with more, a slightly truncated JPEG is sometimes accepted), no output of
// libvips on stderr.
//
// Make and destroy it on the main thread, at most one at a time, while no other thread uses
// imaging/.  libvips cannot be started again after it has ended.  Throws std::runtime_error if
// libvips cannot be started.
class Library {
 public:
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

}  // namespace imaging
