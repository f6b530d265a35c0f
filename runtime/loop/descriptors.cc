#include "runtime/loop/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

namespace runtime {
namespace {

// Also where more are allowed: the more connections a stranger may hold, the sooner an id that it
// has chosen is met by one that libzmq draws (SECURITY.md).
constexpr rlim_t kUsedMax = 16384;
// As many connections as two listeners have accepted by the time they are stopped (100 each wait in
// the queue of each), and what the process itself opens meanwhile.
constexpr int kKeptMax = 256;
// How many must be free, so that accepting does not begin and end all the time.
constexpr int kRoom = 16;

int descriptor_limit() {
  rlimit files{};
  return getrlimit(RLIMIT_NOFILE, &files) == 0
             ? static_cast<int>(std::min(files.rlim_cur, kUsedMax))
             : 1024;
}

int highest_for_connections(int limit) { return limit - std::min(kKeptMax, limit / 2); }

bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) != -1; }

}  // namespace

bool descriptors_scarce() { return is_open(highest_for_connections(descriptor_limit())); }

bool descriptors_suffice() {
  const int limit = descriptor_limit(), highest = highest_for_connections(limit);
  int missing = kRoom;
  for (int i = highest; i < limit; ++i) missing += is_open(i);
  for (int i = 0; i < highest && missing > 0; ++i) missing -= !is_open(i);
  return missing <= 0;
}

}  // namespace runtime
