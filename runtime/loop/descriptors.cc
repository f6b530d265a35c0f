#include "runtime/loop/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

namespace runtime {
namespace {

// Also where more are allowed: the more connections a stranger may hold, the sooner an id that it
// has chosen is met by one that libzmq draws (SECURITY.md).
constexpr rlim_t kUsedMax = 16384;
constexpr int kListeners = 2;  // Of a broker, which has the most.
constexpr int kOwn = 56;       // What the process itself opens while connections take all the rest.
// How many must be free, so that accepting does not begin and end all the time.
constexpr int kRoom = 16;

int descriptor_limit() {
  rlimit files{};
  return getrlimit(RLIMIT_NOFILE, &files) == 0
             ? static_cast<int>(std::min(files.rlim_cur, kUsedMax))
             : 1024;
}

// libzmq's own 100, more where there are descriptors for them.
int accept_queue_for(int limit) { return std::clamp(limit / 16, 100, 1024); }

// By the time that listeners are stopped they may have accepted all that waited in their queues.
int highest_for_connections(int limit) {
  return limit - std::min(kListeners * accept_queue_for(limit) + kOwn, limit / 2);
}

bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) != -1; }

}  // namespace

int accept_queue_max() { return accept_queue_for(descriptor_limit()); }

bool descriptors_scarce() { return is_open(highest_for_connections(descriptor_limit())); }

bool descriptors_suffice() {
  const int limit = descriptor_limit(), highest = highest_for_connections(limit);
  int missing = kRoom;
  for (int i = highest; i < limit; ++i) missing += is_open(i);
  for (int i = 0; i < highest && missing > 0; ++i) missing -= !is_open(i);
  return missing <= 0;
}

}  // namespace runtime
