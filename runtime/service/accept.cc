#include "runtime/service/accept.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <system_error>

#include "runtime/loop/clock.h"
#include "runtime/loop/log.h"

namespace runtime {
namespace {

constexpr int kAcceptPauseMs = 10;  // After an error that may last.
constexpr wire::Duration kAcceptLogInterval = std::chrono::seconds(10);

// Errors of one connection that was on its way, and of no connection.
bool is_passing(int error) {
  return error == EINTR || error == EAGAIN || error == EWOULDBLOCK || error == ECONNABORTED;
}

}  // namespace

void accept_until(int stopping, int listener, const std::function<void(int)>& take) {
  // A connection may go between poll and accept, which must not wait for the next one then.
  fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
  LogLimiter log(kAcceptLogInterval);
  pollfd items[] = {{stopping, POLLIN, 0}, {listener, POLLIN, 0}};
  while (items[0].revents == 0) {
    if (::poll(items, 2, -1) < 0 || items[1].revents == 0) continue;
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    const int error = errno;
    if (socket >= 0) take(socket);
    if (socket >= 0 || is_passing(error)) continue;
    if (log.admit(now())) {
      spdlog::error("cannot accept a connection: {}; trying again",
                    std::generic_category().message(error));
    }
    ::poll(items, 1, kAcceptPauseMs);
  }
}

}  // namespace runtime
