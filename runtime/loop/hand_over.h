// Tells the thread sanitizer what it cannot see, for libzmq is not compiled with it: a frame that
// is handed to ZeroMQ by one thread passes its queues, whose atomics order the threads, before
// another receives it or drops it.  Without the sanitizer these functions do nothing.
#pragma once

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace runtime {

#ifdef __SANITIZE_THREAD__
// Before the bytes at `at` are handed to ZeroMQ.
inline void hand_over(const void* at) { __tsan_release(const_cast<void*>(at)); }
// After they were received, or before they are freed.
inline void take_over(const void* at) { __tsan_acquire(const_cast<void*>(at)); }
#else
inline void hand_over(const void*) {}
inline void take_over(const void*) {}
#endif

}  // namespace runtime
