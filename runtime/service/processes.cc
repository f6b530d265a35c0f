#include "runtime/service/processes.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/earliest.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/log.h"
#include "runtime/service/notify.h"
#include "wire/check.h"

namespace runtime {
namespace {

constexpr int kCannotStart = 2;
// Between two begins of a child.
constexpr wire::Duration kPause = std::chrono::seconds(1);

// Keeps signals for wait() while it lives.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&held_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&held_, signal);
    COLLAGE_CHECK(sigprocmask(SIG_BLOCK, &held_, &before_) == 0);
    // Where it is ignored, children that end leave nothing to wait for.
    std::signal(SIGCHLD, SIG_DFL);
  }
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  // For a child, which handles its own.
  void release() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  // The next signal; nullopt if there was none by `until`.
  std::optional<int> wait(std::optional<wire::Instant> until) const {
    using std::chrono::nanoseconds;
    if (!until) {
      const int signal = sigwaitinfo(&held_, nullptr);
      return signal > 0 ? std::optional(signal) : std::nullopt;
    }
    const auto left = std::max<nanoseconds>(*until - now(), nanoseconds(0));
    timespec time{};
    time.tv_sec = left.count() / std::nano::den;
    time.tv_nsec = left.count() % std::nano::den;
    const int signal = sigtimedwait(&held_, nullptr, &time);
    return signal > 0 ? std::optional(signal) : std::nullopt;
  }

 private:
  sigset_t held_{}, before_{};
};

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return std::string("was ended by ") + strsignal(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

class Children {
 public:
  Children(std::size_t count, std::string name) : children_(count), name_(std::move(name)) {}

  // Begins what is due; true in a child, whose number is then number().
  bool begin_due(wire::Instant now) {
    for (number_ = 0; !stopping_ && number_ < children_.size(); ++number_) {
      Child& child = children_[number_];
      if (child.process != 0 || child.due > now) continue;
      child.due = now + kPause;
      child.lives += 1;
      const pid_t parent = getpid();
      child.process = fork();
      if (child.process == 0) {
        // A group of its own: what a terminal or a supervisor sends to the parent's group would
        // come twice, and the second stop ends a process at once.
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent) std::_Exit(EXIT_FAILURE);  // It has ended in between.
        return true;
      }
      if (child.process < 0) {
        spdlog::warn("{} {} cannot begin: {}", name_, number_, std::strerror(errno));
        child.process = 0;
      }
    }
    return false;
  }
  std::size_t number() const { return number_; }

  void pass_on(int signal) {
    if (signal != SIGHUP) stopping_ = true;
    for (const Child& child : children_) {
      if (child.process != 0) kill(child.process, signal);
    }
  }

  // Takes note of those that have ended.
  void reap() {
    int status = 0;
    for (pid_t ended = 0; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto child = std::ranges::find(children_, ended, &Child::process);
      if (child == children_.end()) continue;
      child->process = 0;
      // SIGTERM itself ends one that does not handle it yet.
      const bool stopped = WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && stopping_;
      child->code = WIFEXITED(status) ? WEXITSTATUS(status) : stopped ? 0 : EXIT_FAILURE;
      if (stopping_) continue;
      spdlog::warn("{} {} {}", name_, child - children_.begin(), how_it_ended(status));
      // At its first begin: later it may have read a configuration that is being edited.
      if (child->code == kCannotStart && child->lives == 1) pass_on(SIGTERM);
    }
  }

  bool stopping() const { return stopping_; }
  bool finished() const {
    return stopping_ &&
           std::ranges::all_of(children_, [](const Child& c) { return c.process == 0; });
  }
  int exit_code() const { return std::ranges::max(children_, {}, &Child::code).code; }

  std::optional<wire::Instant> next_begin() const {
    std::optional<wire::Instant> next;
    for (const Child& child : children_) {
      if (!stopping_ && child.process == 0) next = machine::earliest({next, child.due});
    }
    return next;
  }

 private:
  struct Child {
    pid_t process = 0;  // 0 while it does not run.
    int code = 0;       // Its last exit code.
    int lives = 0;      // How often it has begun.
    wire::Instant due;  // When it may begin.
  };
  std::vector<Child> children_;
  const std::string name_;
  std::size_t number_ = 0;
  bool stopping_ = false;
};

// systemd knows one process of a service.
void leave_systemd() {
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}) unsetenv(name);
}

}  // namespace

int run_processes(std::size_t count, const std::string& name,
                  const std::function<int(std::size_t)>& child) {
  COLLAGE_CHECK(count > 0);
  const HeldSignals signals;
  Children children(count, name);
  Watchdog watchdog(1);
  const std::optional<wire::Duration> beat_every = Watchdog::interval();
  std::optional<wire::Instant> beat_at;
  bool announced = false, told = false;
  while (!children.finished()) {
    if (children.begin_due(now())) {
      signals.release();
      leave_systemd();
      return child(children.number());
    }
    if (!std::exchange(announced, true)) notify_ready();
    if (beat_every && (!beat_at || *beat_at <= now())) {
      watchdog.beat(0);
      beat_at = now() + *beat_every;
    }
    const auto signal = signals.wait(machine::earliest({children.next_begin(), beat_at}));
    if (signal && *signal != SIGCHLD) children.pass_on(*signal);
    children.reap();
    if (children.stopping() && !std::exchange(told, true)) notify_stopping();
  }
  return children.exit_code();
}

}  // namespace runtime
