#include "runtime/service/notify.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// Listens in place of systemd.
class Notify : public testing::Test {
 protected:
  Notify() : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    path_.copy(place.sun_path, sizeof place.sun_path - 1);
    unlink(path_.c_str());
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  ~Notify() override {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(socket_);
    unlink(path_.c_str());
  }

  // All notifications since the last call.
  std::vector<std::string> heard() const {
    std::vector<std::string> all;
    char text[256];
    for (ssize_t size = 0; (size = recv(socket_, text, sizeof text, 0)) >= 0;) {
      all.emplace_back(text, static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  std::string path_ = testing::TempDir() + "collage_notify_" + std::to_string(getpid());
  int socket_;
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
