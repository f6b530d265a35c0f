// COLLAGE_CHECK(condition): aborts the process if our own code has broken an invariant.
//
// It is always on.  Never use it on input from a peer, a file or a user: wrong input is a value to
// be counted and answered.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace wire {

[[noreturn]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace wire

#define COLLAGE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::wire::check_failed(#condition, __FILE__, __LINE__))
