// How a process gives memory back to the system.
#pragma once

#include <malloc.h>

namespace runtime {

// From now on blocks of 256 KiB and more go back to the system when they are freed.  By default
// glibc raises that bound to the largest block that was freed, and then each arena keeps such a
// block: the gateway, which has a thread for each connection, held 71 MB after bodies of 9 MB, and
// 2 MB so.  For processes that only pass images on: mapping each large block anew costs time, which
// a stage would spend on every inference.
inline void return_large_blocks() { mallopt(M_MMAP_THRESHOLD, 256 << 10); }

}  // namespace runtime
