// libvips, started once.
#pragma once

namespace imaging {

// Holds libvips from main's start to its end; decode and encode need it.  What it sets is for a
// process that reads pictures from strangers: of the loaders only JPEG and PNG from memory, no
// cache of operations, one libvips thread a call (with more, a slightly short JPEG is sometimes
// taken for whole), nothing of libvips on stderr.
//
// Make and destroy it on the main thread, one at a time, while no other thread uses imaging/.
// libvips cannot be started again after its end.  Throws std::runtime_error if it does not start.
class Library {
 public:
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

}  // namespace imaging
