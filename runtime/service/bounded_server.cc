#include "runtime/service/bounded_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/loop/clock.h"
#include "runtime/service/accept.h"
#include "runtime/service/client_stream.h"

namespace runtime {
namespace {

constexpr std::size_t kConnectionsMax = 64;  // Served at the same time; more of them are closed.
// The library's own is 5: a further connection would wait a second for its next attempt.
constexpr int kBacklog = 128;
constexpr std::size_t kHeadBytesMax = 16 << 10;
constexpr wire::Duration kFirstByteMax = std::chrono::seconds(1);
constexpr wire::Duration kRequestMax = std::chrono::seconds(2);
constexpr wire::Duration kResponseMax = std::chrono::seconds(5);
// A client that is still sending gets this time to read why it was refused.
constexpr wire::Duration kLingerMax = std::chrono::seconds(1);

// A thread for each connection, started when it is needed and kept: connections that are slow do
// not hold up others, up to kConnectionsMax.
class Threads {
 public:
  Threads() = default;
  // Returns when all have been served.
  ~Threads() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  // Returns false, and `serve` will not run, if there are as many as may be.
  bool run(std::function<void()> serve) {
    if (!have_thread()) return false;
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(serve));
    }
    changed_.notify_one();
    return true;
  }

 private:
  // Returns false if there is no thread for one more connection, and none may be started.
  bool have_thread() try {
    const std::lock_guard lock(mutex_);
    const std::size_t connections = waiting_.size() + busy_;
    if (connections == kConnectionsMax) return false;
    if (connections == threads_.size()) threads_.emplace_back([this] { work(); });
    return true;
  } catch (const std::system_error&) {
    return false;  // The system allows no further thread.
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const std::function<void()> serve = std::move(waiting_.front());
      waiting_.pop_front();
      ++busy_;
      lock.unlock();
      serve();
      lock.lock();
      --busy_;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t busy_ = 0;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

BoundedServer::~BoundedServer() {
  if (svr_sock_ != INVALID_SOCKET) ::close(svr_sock_);
}

void BoundedServer::serve() {
  ::listen(svr_sock_, kBacklog);
  Threads threads;
  accept_until(stopping_.descriptor(), svr_sock_, [&](int socket) {
    if (threads.run([this, socket] { serve_one(socket); })) return;
    ++too_many_;
    ::close(socket);
  });
}

void BoundedServer::serve_one(socket_t socket) {
  ClientStream stream(socket, stopping_.descriptor());
  bool closes = true;
  if (stream.wait(kFirstByteMax)) {
    stream.limit(now() + kRequestMax, kHeadBytesMax);
    stream.read_head();
    process_request(stream, true, closes, [](httplib::Request&) {});
    stream.flush(kResponseMax);
  }
  using End = ClientStream::End;
  too_slow_ += stream.end() == End::timeout;
  too_long_ += stream.end() == End::too_long;
  if (stream.end() == End::too_long) stream.linger(kLingerMax);
}

void BoundedServer::add_to(machine::Telemetry& report) const {
  report.counters("collage_http_visitors_ended_total",
                  "HTTP connections that were closed without the page they asked for: too many at "
                  "once, too slow, or a request of too many bytes.",
                  "reason",
                  {{"too_many", too_many_}, {"too_slow", too_slow_}, {"too_long", too_long_}});
}

}  // namespace runtime
