#include "runtime/service/notify.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/runtime/service/systemd_stand_in.h"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Notify : public testing::Test {
 protected:
  std::vector<std::string> heard() const { return systemd_.heard(); }

 private:
  runtime::SystemdStandIn systemd_;
};

TEST_F(Notify, NotifiesTheStatesOfAService) {
  runtime::notify_ready();
  runtime::notify_reloading();
  runtime::notify_stopping();
  EXPECT_THAT(heard(), ElementsAre("READY=1", "RELOADING=1", "STOPPING=1"));
}

TEST_F(Notify, WithoutSystemdNothingHappens) {
  unsetenv("NOTIFY_SOCKET");
  runtime::notify_ready();
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(Notify, TheWatchdogIsFedOnlyWhileEveryLoopRuns) {
  runtime::Watchdog watchdog(2);
  watchdog.beat(0);
  watchdog.beat(0);
  EXPECT_THAT(heard(), IsEmpty());
  watchdog.beat(1);
  EXPECT_THAT(heard(), ElementsAre("WATCHDOG=1"));
  watchdog.beat(1);
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(Notify, LoopsBeatTwiceInTheTimeThatSystemdAllows) {
  EXPECT_EQ(runtime::Watchdog::interval(), std::nullopt);
  setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(runtime::Watchdog::interval(), wire::Duration(1500ms));
}

}  // namespace
