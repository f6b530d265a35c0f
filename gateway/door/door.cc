#include "gateway/door/door.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <utility>

#include "gateway/door/codec.h"
#include "gateway/problem.h"
#include "runtime/config/config_error.h"
#include "runtime/loop/clock.h"
#include "runtime/service/accept.h"
#include "runtime/service/client_stream.h"

namespace gateway {
namespace {

// The library's own is 5: more connections at once would wait a second for their next attempt.
constexpr int kBacklog = 1024;
constexpr wire::Duration kLingerMax = std::chrono::seconds(2);

// The whole response to a connection above connections_max.
std::string too_many_connections() {
  const Response response = problem_response(
      {503, "too_many_connections", "as many connections are open as the gateway serves"});
  return "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
         "Content-Type: " +
         response.type + "\r\nContent-Length: " + std::to_string(response.body.size()) +
         "\r\n\r\n" + response.body;
}

// A connection takes one descriptor, and one more while it waits for an answer.  A shell's limit of
// 1024 is too little for a thousand of them, but the process may raise it.
void allow_descriptors(std::size_t connections_max) {
  constexpr std::size_t kOthers = 128;
  const rlim_t needed = 2 * connections_max + kOthers;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= needed) return;
  if (files.rlim_max < needed) {
    throw runtime::ConfigError("gateway.connections_max: needs " + std::to_string(needed) +
                               " file descriptors, the process may have " +
                               std::to_string(files.rlim_max));
  }
  files.rlim_cur = needed;
  setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace

// The listening socket: the library looks up the address and binds, but does not accept (accept.h).
class Door::Listener : private httplib::Server {
 public:
  explicit Listener(const Policy& policy) {
    // Replaces the library's SO_REUSEPORT, with which two processes could share a port unnoticed.
    set_socket_options([this](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      socket_ = socket;
    });
    set_tcp_nodelay(true);  // Accepted sockets inherit it.
    const int given = policy.port;
    port = given == 0                            ? bind_to_any_port(policy.address)
           : bind_to_port(policy.address, given) ? given
                                                 : -1;
    if (port < 0) {
      throw runtime::ConfigError("http://" + policy.address + ":" + std::to_string(policy.port) +
                                 ": cannot listen: the port is in use, or this host does not have "
                                 "the address (gateway.address, gateway.port)");
    }
    ::listen(socket_, kBacklog);
  }
  ~Listener() override { ::close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int descriptor() const { return socket_; }

  int port = -1;

 private:
  socket_t socket_ = -1;
};

Door::Door(const Policy& policy, Gateway& gateway, runtime::Loop& loop, Responder::Report report)
    : policy_(policy),
      budget_(policy.open_bytes_max),
      responder_(policy, gateway, loop, std::move(report), stopping_.descriptor()) {
  allow_descriptors(policy_.connections_max);
  listener_ = std::make_unique<Listener>(policy_);
  port_ = static_cast<std::uint16_t>(listener_->port);
  listening_ = std::thread([this] {
    runtime::accept_until(stopping_.descriptor(), listener_->descriptor(),
                          [this](int socket) { accept(socket); });
  });
}

Door::~Door() {
  stopping_.notify();
  listening_.join();
  listener_.reset();
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// Called by the listening thread, which must not wait.
void Door::accept(int socket) {
  const std::lock_guard lock(mutex_);
  if (open_ == policy_.connections_max || !have_thread()) {
    figures_.refused();
    static const std::string kRefusal = too_many_connections();
    ::send(socket, kRefusal.data(), kRefusal.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    ::close(socket);
    return;
  }
  ++open_;
  figures_.opened();
  accepted_.push_back(socket);
  changed_.notify_one();
}

// Returns true if a thread waits for one more connection, or could be started.
bool Door::have_thread() try {
  if (accepted_.size() >= idle_) threads_.emplace_back([this] { work(); });
  return true;
} catch (const std::system_error&) {
  return false;  // The system allows no further thread.
}

void Door::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return stopped_ || !accepted_.empty(); });
    --idle_;
    if (accepted_.empty()) return;
    const int socket = accepted_.front();
    accepted_.pop_front();
    lock.unlock();
    serve(socket);
    lock.lock();
    --open_;
    figures_.closed();
  }
}

void Door::serve(int socket) {
  ClientStream stream(socket, stopping_.descriptor());
  Codec codec(stream, policy_, budget_,
              [this](const Request& request) { return responder_.respond(request); });
  while (!codec.over() && stream.wait(policy_.idle_timeout)) {
    const wire::Instant began = runtime::now();
    const auto status = codec.serve_one();
    figures_.responded(status, runtime::now() - began);
  }
  if (codec.unread()) stream.linger(kLingerMax);
}

}  // namespace gateway
