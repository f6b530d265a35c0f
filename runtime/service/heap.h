// How a process gives memory back to the system.
#pragma once

#include <malloc.h>

namespace runtime {

// From now on blocks of 1 MiB and more go back to the system when they are freed.  By default glibc
// raises that bound to the largest block that was freed, and then each arena keeps such a block:
// the gateway, which has a thread for each connection, held 71 MB after bodies of 9 MB, and 2 MB
// so.  For processes that only pass images on: to map a large block anew takes time, a millisecond
// for each megabyte on a virtual machine, which a stage would spend on every inference.
inline void return_large_blocks() {
  constexpr int kMapped = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kMapped);
  // What lies free below that size is kept, or smaller images would be mapped anew, too.
  mallopt(M_TRIM_THRESHOLD, 2 * kMapped);
}

}  // namespace runtime
