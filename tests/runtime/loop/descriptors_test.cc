#include "runtime/loop/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace runtime {
namespace {

// Sets the limit of descriptors for its life, no higher than the system lets it; holds those that
// it opens.
class Limited {
 public:
  explicit Limited(rlim_t limit) {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit few{.rlim_cur = std::min(limit, before_.rlim_max), .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  ~Limited() {
    for (const int one : open_) close(one);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  Limited(const Limited&) = delete;
  Limited& operator=(const Limited&) = delete;

  // Returns false if no descriptor is left.
  bool open_one() {
    const int one = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (one == -1) return false;
    open_.push_back(one);
    return true;
  }
  // Opens the lowest that is free from `from` on.
  bool open_one_from(int from) {
    if (!open_one()) return false;
    const int one = fcntl(open_.back(), F_DUPFD_CLOEXEC, from);
    close_one();
    if (one == -1) return false;
    open_.push_back(one);
    return one == from;
  }
  void close_one() {
    close(open_.back());
    open_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> open_;
};

TEST(Descriptors, ThatAreKeptSufficeForAllThatWaitAtTwoListeners) {
  for (const rlim_t limit : {512, 1024, 4096}) {
    SCOPED_TRACE(limit);
    Limited descriptors(limit);
    EXPECT_TRUE(descriptors_suffice());
    int connections = 0;
    while (!descriptors_scarce() && descriptors.open_one()) ++connections;
    EXPECT_GE(connections, static_cast<int>(limit) / 3);
    // Accepting has been stopped, and is not begun again for the first few that are free.
    EXPECT_FALSE(descriptors_suffice());
    for (int i = 0; i < 2 * accept_queue_max(); ++i) {
      ASSERT_TRUE(descriptors.open_one()) << "none is left for the " << i << ". that waits";
    }
    EXPECT_TRUE(descriptors.open_one()) << "none is left for the process itself";
    for (int i = 0; i < 2 * accept_queue_max() + 20; ++i) descriptors.close_one();
    EXPECT_TRUE(descriptors_suffice());
  }
}

// The figures of SECURITY.md, for a shell's limit and for that of the systemd units.
TEST(Descriptors, AreForConnectionsUpToAFewThousandThatAreKept) {
  struct Figures {
    rlim_t limit;
    int for_connections, kept;
  };
  for (const auto& [limit, for_connections, kept] :
       {Figures{1024, 768, 256}, Figures{65536, 14280, 2104}}) {
    SCOPED_TRACE(limit);
    rlimit allowed{};
    getrlimit(RLIMIT_NOFILE, &allowed);
    if (allowed.rlim_max < static_cast<rlim_t>(for_connections + kept)) continue;
    Limited descriptors(limit);
    EXPECT_EQ(2 * accept_queue_max() + 56, kept);
    ASSERT_TRUE(descriptors.open_one_from(for_connections - 1));
    EXPECT_FALSE(descriptors_scarce());
    ASSERT_TRUE(descriptors.open_one_from(for_connections));
    EXPECT_TRUE(descriptors_scarce());
    // All that are kept are there.
    ASSERT_TRUE(descriptors.open_one_from(for_connections + kept - 1));
  }
}

}  // namespace
}  // namespace runtime
