// Listens in place of systemd, for what services tell it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace runtime {

// While it exists, this process and those that it begins notify it.
class SystemdStandIn {
 public:
  SystemdStandIn() : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    path_.copy(place.sun_path, sizeof place.sun_path - 1);
    unlink(path_.c_str());
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  ~SystemdStandIn() {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(socket_);
    unlink(path_.c_str());
  }
  SystemdStandIn(const SystemdStandIn&) = delete;
  SystemdStandIn& operator=(const SystemdStandIn&) = delete;

  // All notifications since the last call.
  std::vector<std::string> heard() const {
    std::vector<std::string> all;
    char text[256];
    for (ssize_t size = 0; (size = recv(socket_, text, sizeof text, 0)) >= 0;) {
      all.emplace_back(text, static_cast<std::size_t>(size));
    }
    return all;
  }
  // The next notification; empty if none comes for 20 s.
  std::string next() const {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, 20'000) != 1) return {};
    char text[256];
    const ssize_t size = recv(socket_, text, sizeof text, 0);
    return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

 private:
  std::string path_ = testing::TempDir() + "collage_systemd_" + std::to_string(getpid());
  int socket_;
};

}  // namespace runtime
