// Drives a machine with ZeroMQ and the real clock.
//
// One turn:
//
//     wait for a frame, a timeout or a reason to stop
//     read the clock, once                                 = now
//     handshakes            on links with keys: admit peers, knock anew
//     on_timeout            if due: a message that ties with a timeout loses
//     on_message            Drain if told to stop; what could not be sent last turn;
//                           at most messages_per_turn_max messages, fairly over the links
//     send                  never waits
//     work                  on this thread: the machine is deaf meanwhile
//     on_done, send         with a fresh reading of the clock
//
// Work that on_done asks for waits for the next turn, so that a chain of work starves neither
// timers nor peers.
//
// What the machine hears from the loop itself:
//   Drain        from machine::kLocal, when a signal comes or stop() is called;
//   Undelivered  from the peer that a message could not be sent to.  Retry by a timer: an answer
//                sent at once to a blocked peer is refused at once, turn after turn;
//   Undecodable  from a peer that sent what is no message.
//
// Peers that choose their own ZeroMQ routing id are not heard at all, nor, on links with keys, what
// a peer's key does not allow it to say (guard.h).  Peers' ids are never reused while their
// connection lives.  A Status on its way out is given the loop's own counters too.
//
// Runs on the thread that calls run(); only stop(), wake() and visit() may be called from others.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "runtime/loop/clock.h"
#include "runtime/loop/event_fd.h"
#include "runtime/loop/link.h"
#include "runtime/loop/log.h"
#include "runtime/loop/loop_calls.h"
#include "runtime/loop/signals.h"
#include "runtime/loop/timer_fd.h"
#include "runtime/security/access_control.h"

namespace runtime {

class Authenticator;
class Socket;
struct Incoming;

struct LoopCounters {
  std::uint64_t received = 0;        // Messages decoded.
  std::uint64_t sent = 0;            // Messages handed to a connection.
  std::uint64_t wrong_protocol = 0;  // Dropped on arrival, by reason.
  std::uint64_t bad_message = 0;
  std::uint64_t foreign_id = 0;
  std::uint64_t denied = 0;      // Not for its key to say.
  std::uint64_t unroutable = 0;  // Not sent, by reason.
  std::uint64_t blocked = 0;
  std::uint64_t notes_dropped = 0;  // Beyond the rate that is logged.
  // On links with keys.
  std::uint64_t keys_refused = 0;       // Of peers, by us.
  std::uint64_t own_key_refused = 0;    // By servers.
  std::uint64_t handshakes_failed = 0;  // For any other reason: without a key, for another server.
  std::uint64_t server_keys_tried = 0;  // Another one of a server's, after a failure.

  // By name, as metrics have them: loop_received and so on.
  std::vector<wire::Counter> list() const;
  void add_to(machine::Telemetry& report) const;
};

class Loop {
 public:
  using Runner = std::function<machine::Outcome(machine::Work)>;
  struct Options {
    std::size_t messages_per_turn_max = 64;
    std::size_t handshakes_per_turn_max = 64;
    std::size_t log_lines_per_second_max = 20;
    AccessControl::Policy access{};
    wire::Duration drain_max = std::chrono::seconds(5);  // From the first reason to stop.
    Signals* signals = nullptr;                          // Heeded if given.
    std::function<void(const machine::LogMessage&)> on_log{};
    std::function<void(const machine::TraceEvent&)> on_trace{};
    std::function<void()> on_hangup{};  // At a SIGHUP, before the messages of its turn.
    // Called as often as that, whatever the machine waits for, unless it is deaf at its work.
    wire::Duration beat_every{};  // 0: never.
    std::function<void()> on_beat{};
    bool silent = false;  // Log nothing: what happens shows in the counters alone.
  };

  // Opens the links.  The machine and the context must outlive the loop; the runner is called only
  // for machines that ask for work.  Throws ConfigError that names an endpoint that cannot
  // be opened.  One loop of a context may have servers with keys.
  Loop(Context& context, const std::vector<Link>& links, machine::Machine& machine, Runner runner,
       Options options);
  ~Loop();

  // finished: the machine said so.  late: it had not within drain_max of being told to stop.
  // forced: it was told twice.
  enum class End : std::uint8_t { finished, late, forced };
  End run();

  // Tells the machine to drain; the second call ends run().  From any thread.
  void stop() { stop_.notify(); }

  // Makes the loop ask the machine for its next timeout again.  From any thread; for a machine
  // that another thread has handed something.
  void wake() { wake_.notify(); }

  // Has `what` done between two turns; false if none ended within `wait`.  From any thread but the
  // one that runs.
  bool call_on_loop(LoopCalls::Call call, wire::Duration wait) {
    return calls_.call(std::move(call), wait);
  }

  // It will not run again: whoever visits is turned away at once.
  void close_calls() { calls_.close(); }

  // What the machine reports, and the loop's own figures.  In a visit, or while nobody runs.
  machine::Telemetry telemetry() const;

  // The endpoint of a bound link, with the port that it was given for port 0.
  std::string bound_endpoint(std::size_t link) const;
  const LoopCounters& counters() const { return counters_; }

 private:
  struct Failed {
    machine::Peer peer;
    wire::Undelivered what;
  };

  void wait();
  std::optional<wire::Instant> wait_until(wire::Instant now) const;
  void beat(wire::Instant now);
  void handle_signals(wire::Instant now, machine::Actions& actions);
  void poll_handshakes(wire::Instant now);
  void report_failed(wire::Instant now, machine::Actions& actions);
  void receive(wire::Instant now, machine::Actions& actions);
  bool receive_from(std::uint32_t link, Incoming& in, wire::Instant now, machine::Actions& actions);
  bool allowed(std::uint32_t link, Incoming& in, const wire::Message& message, wire::Instant now);
  void perform(machine::Actions actions, wire::Instant now);
  void send(machine::Outgoing outgoing);
  void note(const machine::LogMessage& note, wire::Instant now);
  void work();

  machine::Machine& machine_;
  Runner runner_;
  Options options_;
  EventFd stop_;
  EventFd wake_;
  LoopCalls calls_;
  TimerFd timer_;
  std::unique_ptr<Authenticator> authenticator_;  // If a link is a server's with keys.
  AccessControl access_control_;
  std::vector<Socket> sockets_;
  LoopCounters counters_;
  LogLimiter denials_;
  LogLimiter handshakes_;

  std::vector<Failed> failed_;  // To be told to the machine in the next turn.
  std::optional<machine::Work> work_;
  std::uint32_t next_link_ = 0;  // Where the next turn begins to read.
  bool backlog_ = false;         // The last turn may have left messages or handshakes unread.
  bool finished_ = false;
  std::uint64_t stops_ = 0;
  std::optional<wire::Instant> next_beat_;  // At once, if there are beats.
  std::optional<wire::Instant> drain_until_;
  wire::Instant notes_since_;
  std::size_t notes_ = 0;
};

}  // namespace runtime
