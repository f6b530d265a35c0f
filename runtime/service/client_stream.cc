#include "runtime/service/client_stream.h"

#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string_view>

#include "runtime/loop/clock.h"

namespace runtime {
namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr wire::Duration kInterimMax = std::chrono::seconds(2);  // For "100 Continue".

// At least 1 ms, so that a rest of microseconds is no busy loop; 0 once the time is over.
int milliseconds_until(wire::Instant until) {
  const wire::Duration left = until - runtime::now();
  if (left <= wire::Duration{}) return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

bool interrupted() { return errno == EINTR || errno == EAGAIN; }

}  // namespace

void hide_ranges(std::span<char> head) {
  // A line feed alone ends a line for the library, whichever byte is before it.
  static constexpr std::string_view kRange = "Range", kSpace = " \t";
  const std::string_view text(head.data(), head.size());
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    const std::string_view line = text.substr(at + 1);
    const std::string_view name = line.substr(0, line.find_first_of(":\r\n"));
    const std::size_t begin = name.find_first_not_of(kSpace);
    if (begin == name.npos) continue;
    const std::size_t size = name.find_last_not_of(kSpace) + 1 - begin;
    if (size == kRange.size() && strncasecmp(name.data() + begin, kRange.data(), size) == 0) {
      head[at + 1 + begin] = 'x';
    }
  }
}

ClientStream::~ClientStream() { ::close(socket_); }

bool ClientStream::wait(wire::Duration idle) {
  if (next_ < in_.size()) return true;  // The client did not wait for the last response.
  limit(runtime::now() + idle, kReadBytes);
  return fill();
}

void ClientStream::limit(wire::Instant until, std::size_t bytes_max) {
  until_ = until;
  budget_ = bytes_max;
  end_ = End::none;
}

bool ClientStream::fill() {
  if (!out_.empty() && !flush(kInterimMax)) return false;
  in_.erase(0, next_);
  next_ = 0;
  for (;;) {
    pollfd items[] = {{socket_, POLLIN, 0}, {stopping_, POLLIN, 0}};
    const int ready = ::poll(items, 2, milliseconds_until(until_));
    if (ready < 0 && interrupted()) continue;
    if (items[1].revents != 0)
      end_ = End::stopped;
    else if (ready == 0)
      end_ = End::timeout;
    if (end_ != End::none) return false;
    const std::size_t had = in_.size();
    in_.resize(had + kReadBytes);
    const ssize_t got = ::recv(socket_, in_.data() + had, kReadBytes, MSG_DONTWAIT);
    in_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) return true;
    if (got < 0 && interrupted()) continue;
    end_ = End::closed;
    return false;
  }
}

void ClientStream::read_head() {
  // As the library sees it: the line before the empty one may end in a line feed alone.
  static constexpr std::string_view kEnd = "\n\r\n";
  std::size_t end = std::string::npos;
  while ((end = in_.find(kEnd, next_)) == std::string::npos) {
    if (in_.size() - next_ >= budget_ || !fill()) break;
  }
  end = std::min(end, in_.size());
  hide_ranges({in_.data() + next_, end - next_});
}

ssize_t ClientStream::read(char* to, std::size_t size) {
  if (budget_ == 0 && end_ == End::none) end_ = End::too_long;
  // What has come is still given out after the end.
  if (budget_ == 0 || (next_ == in_.size() && end_ != End::none)) return -1;
  if (next_ == in_.size() && !fill()) return end_ == End::closed ? 0 : -1;
  const std::size_t taken = std::min({size, in_.size() - next_, budget_});
  std::copy_n(in_.data() + next_, taken, to);
  next_ += taken;
  budget_ -= taken;
  return static_cast<ssize_t>(taken);
}

ssize_t ClientStream::write(const char* from, std::size_t size) {
  out_.append(from, size);
  return static_cast<ssize_t>(size);
}

bool ClientStream::flush(wire::Duration timeout) {
  const wire::Instant until = runtime::now() + timeout;
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const ssize_t some =
        ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (some > 0) {
      sent += static_cast<std::size_t>(some);
      continue;
    }
    if (!interrupted()) break;
    pollfd item{socket_, POLLOUT, 0};
    if (::poll(&item, 1, milliseconds_until(until)) == 0) break;
  }
  const bool whole = sent == out_.size();
  if (!whole) end_ = End::closed;
  out_.clear();
  return whole;
}

void ClientStream::linger(wire::Duration at_most) {
  ::shutdown(socket_, SHUT_WR);
  limit(runtime::now() + at_most, kReadBytes);
  do {
    next_ = in_.size();  // Dropped by fill.
  } while (fill());
}

void ClientStream::get_remote_ip_and_port(std::string&, int&) const {}
void ClientStream::get_local_ip_and_port(std::string&, int&) const {}

}  // namespace runtime
