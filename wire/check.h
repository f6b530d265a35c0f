// COLLAGE_CHECK: for what can only be wrong if we are.
//
// Always on.  Never to be used on what a peer, a file or a user said: those are values to be
// counted and answered.
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
