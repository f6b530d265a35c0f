// Drives a machine with ZeroMQ and the real clock.
//
// One iteration:
//
//     wait for a frame, a timeout or a request to stop
//     receive               at most messages_per_iteration_max messages, taken in turn from the
//                           links that have some
//     read the clock, once                                 = now; no message is newer
//     handshakes            on links with keys: admit peers, reconnect
//     on_timeout            if due: a message that ties with a timeout loses
//     on_message            a Drain if a stop was requested; what could not be sent in the last
//                           iteration; the messages received
//     send                  never blocks
//     calls                 at most one call of another thread
//     work                  on this thread: the loop is blocked meanwhile
//     on_done, send         after reading the clock again
//
// Work that on_done asks for waits for the next iteration, so that a chain of work delays neither
// timers nor messages.
//
// The loop itself sends the machine four messages:
//   Drain        from machine::kLocal, when a signal arrives or stop() is called;
//   Undelivered  from the peer to which a message could not be sent.  Retry by a timer: a message
//                that is sent to a blocked peer at once fails again, iteration after iteration;
//   Undecodable  from a peer that sent something other than a message;
//   Authenticated  from a producer with a key, before each of its hellos.
//
// Messages of peers that choose their own ZeroMQ routing id are dropped.  On links with keys,
// messages that a peer's key does not allow are dropped, too (access_control.h).  A peer's id is
// not reused while its connection lives.  A peer of a ROUTER link is answered in the version of the
// protocol that it spoke last (peer_protocols.h).  The loop adds its own counters to each Status
// that it sends.
//
// run() runs on the calling thread.  Other threads may call only stop(), wake(), call_on_loop() and
// close_calls().
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
#include "runtime/loop/peer_protocols.h"
#include "runtime/loop/poll.h"
#include "runtime/loop/signals.h"
#include "runtime/security/access_control.h"

namespace runtime {

class Authenticator;
class Socket;
struct Incoming;

struct LoopCounters {
  std::uint64_t received = 0;         // Messages received and decoded.
  std::uint64_t sent = 0;             // Messages passed to a connection.
  std::uint64_t wrong_protocol = 0;   // Arrivals of another protocol version.
  std::uint64_t bad_message = 0;      // Arrivals that cannot be decoded.
  std::uint64_t foreign_id = 0;       // Arrivals from peers that chose their own routing id.
  std::uint64_t denied = 0;           // Arrivals that the sender's key does not allow.
  std::uint64_t unroutable = 0;       // Messages not sent, because the connection is gone.
  std::uint64_t blocked = 0;          // Messages not sent, because the connection's queue is full.
  std::uint64_t notes_dropped = 0;    // Log messages dropped by the rate limit.
  std::uint64_t keys_refused = 0;     // Handshakes that we refused: the peer's key is not allowed.
  std::uint64_t own_key_refused = 0;  // Handshakes that a server refused: ours is not allowed.
  std::uint64_t handshakes_failed = 0;  // Handshakes that failed otherwise, such as without a key.
  std::uint64_t server_keys_tried = 0;  // Attempts with another key of a server after a failure.
  std::uint64_t accepted = 0;           // Connections to our servers of tcp://.
  std::uint64_t accept_failed = 0;      // Connections that could not be accepted.
  std::uint64_t pauses = 0;  // How often no connections were accepted, for lack of descriptors.
  bool paused = false;       // Whether none are accepted now.

  // The counters by the names that Status has: loop_received and so on.
  std::vector<wire::Counter> list() const;
  // Adds the counters as metrics.
  void add_to(machine::Telemetry& report) const;
};

class Loop {
 public:
  using Runner = std::function<machine::Outcome(machine::Work)>;
  struct Options {
    std::size_t messages_per_iteration_max = 64;
    std::size_t handshakes_per_iteration_max = 64;
    std::size_t log_lines_per_second_max = 20;
    AccessControl::Policy access{};
    wire::Duration drain_max = std::chrono::seconds(5);  // Time to drain after the first stop.
    Signals* signals = nullptr;                          // Signals to handle; null: none.
    // Called for each log message of the machine, up to log_lines_per_second_max.
    std::function<void(const machine::LogMessage&)> on_log{};
    // Called for each trace event of the machine.
    std::function<void(const machine::TraceEvent&)> on_trace{};
    // Called at a SIGHUP, before the messages of that iteration.
    std::function<void()> on_hangup{};
    // `on_beat` is called every `beat_every` (0: never), unless work blocks the loop.
    wire::Duration beat_every{};
    std::function<void()> on_beat{};
    bool silent = false;  // Log nothing: what happens shows in the counters alone.
  };

  // Opens the links.  The machine and the context must outlive the loop.  `runner` does the work
  // that the machine asks for; it may be empty for a machine that asks for none.  Throws
  // ConfigError, which names the endpoint that cannot be opened.  Only one loop of a context may
  // have server links with keys.
  Loop(Context& context, const std::vector<Link>& links, machine::Machine& machine, Runner runner,
       Options options);
  ~Loop();

  // How run() ended.  finished: the machine reported Actions::finished.  late: it did not within
  // drain_max after the first stop.  forced: there was a second stop.
  enum class End : std::uint8_t { finished, late, forced };
  End run();

  // Sends the machine a Drain; the second call ends run().  May be called on any thread.
  void stop() { stop_.notify(); }

  // Makes the loop ask the machine for its next timeout again; for a machine that another thread
  // has changed.  May be called on any thread.
  void wake() { wake_.notify(); }

  // Runs `call` between two iterations.  Returns false, and `call` will not run, if no iteration
  // ended within `wait`.  May be called on any thread but the one that is in run().
  bool call_on_loop(LoopCalls::Call call, wire::Duration wait) {
    return calls_.call(std::move(call), wait);
  }

  // Rejects pending and future cross-thread calls.  Call it after run() has returned.
  void close_calls() { calls_.close(); }

  // The machine's telemetry with the loop's own counters.  Call it in call_on_loop(), or while no
  // thread is in run().
  machine::Telemetry telemetry() const;

  // What keeps a link from its server, as far as it is known: a name that does not resolve now, a
  // key that is not allowed, failed handshakes; empty if nothing is known.  May block for some
  // seconds to look names up.
  std::string trouble() const;

  // The endpoint of a bound link, with the port that the system chose for port 0.
  std::string bound_endpoint(std::size_t link) const;
  const LoopCounters& counters() const { return counters_; }

 private:
  struct Failed {
    machine::Peer peer;
    wire::Undelivered what;
  };

  struct Arrival;

  void wait();
  std::optional<wire::Instant> wait_until(wire::Instant now) const;
  void beat(wire::Instant now);
  void handle_signals(wire::Instant now, machine::Actions& actions);
  bool ready(std::size_t source) const { return poll_.ready(source); }
  void poll_handshakes(wire::Instant now);
  void serve_keys(wire::Instant now);
  void pause_accepting(bool accepted, wire::Instant now);
  void report_failed(wire::Instant now, machine::Actions& actions);
  void receive();
  void pass_on(wire::Instant now, machine::Actions& actions);
  void pass_on(Arrival& arrival, wire::Instant now, machine::Actions& actions);
  void warn_of_foreign_id(Arrival& arrival, wire::Instant now);
  bool allowed(std::uint32_t link, Incoming& in, const wire::Message& message, wire::Instant now);
  void authenticate(std::uint32_t link, Incoming& in, wire::Instant now, machine::Actions& actions);
  void perform(machine::Actions actions, wire::Instant now);
  void send(machine::Outgoing outgoing);
  void log(const machine::LogMessage& message, wire::Instant now);
  void work();

  machine::Machine& machine_;
  Runner runner_;
  Options options_;
  EventFd stop_;
  EventFd wake_;
  LoopCalls calls_;
  std::unique_ptr<Authenticator> authenticator_;  // Null unless a bound link has keys.
  AccessControl access_control_;
  std::vector<Socket> sockets_;
  std::vector<PeerProtocols> protocols_;  // One for each socket; a dealer's stays empty.
  LoopCounters counters_;
  LogLimiter denials_;
  LogLimiter handshakes_;
  LogLimiter foreign_ids_;
  LogLimiter pauses_;

  // What the iteration waited for: the numbers of the sources in `poll_`.  A look at one that has
  // nothing would cost a system call.
  Poll poll_;
  struct Sources {
    std::size_t stop = 0, wake = 0, calls = 0, signal_stop = 0, signal_hangup = 0;
    std::optional<std::size_t> keys;                     // The authenticator.
    std::vector<std::optional<std::size_t>> handshakes;  // Of each socket that has events.
  } sources_;
  std::vector<bool> readable_;         // Links that may have messages.
  std::vector<Arrival> arrived_;       // Messages received in this iteration.
  bool unread_ = false;                // The links may have more messages.
  std::vector<Failed> failed_;         // Failed sends; the machine gets them in the next iteration.
  std::optional<machine::Work> work_;  // Work that the machine has asked for.
  std::uint32_t next_link_ = 0;        // The link that the next iteration reads first.
  bool backlog_ = false;  // The last iteration may have left messages or handshakes unread.
  bool finished_ = false;
  std::uint64_t stops_ = 0;  // Requests to stop so far.
  std::optional<wire::Instant> next_beat_;
  std::optional<wire::Instant> resume_at_;    // When to see whether connections are accepted again.
  std::optional<wire::Instant> drain_until_;  // The end of drain_max; nullopt before a stop.
  wire::Instant log_since_;                   // The begin of the second that log_lines_ counts.
  std::size_t log_lines_ = 0;
};

}  // namespace runtime
