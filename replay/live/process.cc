#include "replay/live/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

#include "runtime/loop/clock.h"

namespace replay::live {
namespace {

constexpr int kCannotExec = 127;

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(const std::vector<char*>& argv, int log) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  setpgid(0, 0);  // So that Ctrl-C reaches the parent alone, which stops its children in order.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(argv.front(), argv.data());
  _exit(kCannotExec);
}

}  // namespace

Process::Process(std::vector<std::string> argv, const std::filesystem::path& log)
    : argv_(std::move(argv)) {
  if (access(argv_.front().c_str(), X_OK) != 0) {
    throw std::runtime_error(argv_.front() + ": there is no such program");
  }
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) throw std::runtime_error(log.string() + ": cannot be written");
  std::vector<char*> raw;
  for (std::string& arg : argv_) raw.push_back(arg.data());
  raw.push_back(nullptr);
  id_ = fork();
  if (id_ == 0) become(raw, out);
  close(out);
  if (id_ < 0) throw std::runtime_error(argv_.front() + ": cannot be started");
}

Process::~Process() {
  if (id_ > 0) wait(wire::Duration::zero());
}

Process::Process(Process&& other) noexcept
    : id_(std::exchange(other.id_, 0)), code_(other.code_), argv_(std::move(other.argv_)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(code_, other.code_);
  std::swap(argv_, other.argv_);
  return *this;
}

std::optional<int> Process::exited() {
  if (id_ == 0) return code_;
  int status = 0;
  if (waitpid(id_, &status, WNOHANG) == id_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    id_ = 0;
  }
  return code_;
}

void Process::signal(int number) const {
  if (id_ > 0) kill(id_, number);
}

int Process::wait(wire::Duration limit) {
  const wire::Instant until = runtime::now() + limit;
  while (!exited() && runtime::now() < until) {
    pause(std::chrono::milliseconds(5));
  }
  if (!exited()) {
    kill(id_, SIGKILL);
    while (!exited()) pause(std::chrono::milliseconds(1));
  }
  return *code_;
}

void pause(wire::Duration duration) { std::this_thread::sleep_for(duration); }

std::vector<int> free_ports(std::size_t count) {
  std::vector<int> sockets;  // All open at once, so that no port is given twice.
  std::vector<int> ports;
  for (std::size_t i = 0; i < count; ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    sockets.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(sockets.back(), plain, size) != 0 || getsockname(sockets.back(), plain, &size) != 0) {
      throw std::runtime_error("no free port on 127.0.0.1");
    }
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int socket : sockets) close(socket);
  return ports;
}

}  // namespace replay::live
