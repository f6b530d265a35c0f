#include "runtime/loop/loop.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>
#include <zmq.hpp>

#include "runtime/config/config_error.h"
#include "runtime/loop/authenticator.h"
#include "runtime/loop/descriptors.h"
#include "runtime/loop/socket.h"
#include "wire/check.h"
#include "wire/codec.h"

namespace runtime {
namespace {

// At most one line per second for each kind of event that an unauthenticated peer can trigger.
constexpr wire::Duration kLogEvery = std::chrono::seconds(1);
// A client that chooses its own routing id goes on doing so: its programmer has to change it.
constexpr wire::Duration kForeignIdEvery = std::chrono::minutes(1);
// How often to see whether there are descriptors again for new connections.
constexpr wire::Duration kResumeEvery = std::chrono::milliseconds(500);
constexpr wire::Duration kPauseLogEvery = std::chrono::seconds(10);

// Appends actions.  A machine asks for at most one piece of work in an iteration.
void gather(machine::Actions& actions, machine::Actions more) {
  COLLAGE_CHECK(!(actions.work && more.work));
  actions.append(std::move(more));
}

void append_counters(wire::Status& status, const LoopCounters& counters) {
  // The machine's counters go first; if both do not fit into a Status, the loop's are left out.
  std::vector<wire::Counter> own = counters.list();
  if (status.counters.size() + own.size() > wire::kCountersMax) return;
  std::move(own.begin(), own.end(), std::back_inserter(status.counters));
}

}  // namespace

std::vector<wire::Counter> LoopCounters::list() const {
  return {{"loop_received", received},
          {"loop_sent", sent},
          {"loop_wrong_protocol", wrong_protocol},
          {"loop_bad_message", bad_message},
          {"loop_foreign_id", foreign_id},
          {"loop_denied", denied},
          {"loop_unroutable", unroutable},
          {"loop_blocked", blocked},
          {"loop_notes_dropped", notes_dropped},
          {"loop_keys_refused", keys_refused},
          {"loop_own_key_refused", own_key_refused},
          {"loop_handshakes_failed", handshakes_failed},
          {"loop_server_keys_tried", server_keys_tried},
          {"loop_connections_accepted", accepted},
          {"loop_accept_failed", accept_failed},
          {"loop_accept_pauses", pauses}};
}

void LoopCounters::add_to(machine::Telemetry& report) const {
  report.counter("collage_messages_received_total", "Messages received and decoded.", received);
  report.counter("collage_messages_sent_total", "Messages handed to a connection.", sent);
  report.counters("collage_messages_dropped_total",
                  "Messages dropped on arrival or not deliverable.", "reason",
                  {{"wrong_protocol", wrong_protocol},
                   {"bad_message", bad_message},
                   {"foreign_id", foreign_id},
                   {"denied", denied},
                   {"unroutable", unroutable},
                   {"blocked", blocked}});
  report.counter("collage_notes_dropped_total", "Log lines dropped by the rate limit.",
                 notes_dropped);
  report.counters("collage_handshakes_failed_total",
                  "Failed handshakes: a peer's key is not allowed, our own key is not allowed by a "
                  "server, or any other reason, such as a peer that never speaks.",
                  "reason",
                  {{"key_refused", keys_refused},
                   {"own_key_refused", own_key_refused},
                   {"failed", handshakes_failed}});
  report.counter("collage_server_keys_tried_total",
                 "Attempts with another key of a server after a failed handshake.",
                 server_keys_tried);
  report.counter("collage_connections_accepted_total", "Connections to the links of this process.",
                 accepted);
  report.counter("collage_accept_failures_total",
                 "Connections that could not be accepted, most often for lack of descriptors.",
                 accept_failed);
  report.counter("collage_accept_pauses_total",
                 "How often connections were not accepted, so that some descriptors are left.",
                 pauses);
  report.gauge("collage_accept_paused", "1 while connections are not accepted, else 0.",
               paused ? 1 : 0);
}

struct Loop::Arrival {
  std::uint32_t link = 0;
  bool foreign = false;  // Its sender chose its own routing id.
  Incoming in;
};

Loop::Loop(Context& context, const std::vector<Link>& links, machine::Machine& machine,
           Runner runner, Options options)
    : machine_(machine),
      runner_(std::move(runner)),
      options_(std::move(options)),
      access_control_(options_.access),
      denials_(kLogEvery),
      handshakes_(kLogEvery),
      foreign_ids_(kForeignIdEvery),
      pauses_(kPauseLogEvery) {
  COLLAGE_CHECK(options_.messages_per_iteration_max > 0);
  if (options_.on_beat && options_.beat_every > wire::Duration::zero()) {
    next_beat_ = runtime::now();
  }
  // Before the sockets: a server socket without a ZAP handler refuses every handshake.
  if (std::ranges::any_of(links, [](const Link& link) { return link.bind && keyed(link); })) {
    authenticator_ = std::make_unique<Authenticator>(context);
  }
  for (const Link& link : links) {
    sockets_.emplace_back(context, link);
    if (link.bind || options_.silent) continue;
    const std::string why = unresolved(link.endpoint);
    if (!why.empty()) spdlog::warn("{}: {}; it is looked up again", link.endpoint, why);
  }
  protocols_.resize(links.size());
  readable_.resize(links.size());
}

Loop::~Loop() = default;

std::string Loop::bound_endpoint(std::size_t link) const {
  return sockets_.at(link).bound_endpoint();
}

std::string Loop::trouble() const {
  for (const Socket& socket : sockets_) {
    if (socket.link().bind) continue;
    if (std::string why = unresolved(socket.link().endpoint); !why.empty()) return why;
  }
  if (counters_.own_key_refused > 0) return "the server does not allow our key";
  if (counters_.handshakes_failed > 0) {
    return "handshakes failed: perhaps the server has another key";
  }
  return {};
}

machine::Telemetry Loop::telemetry() const {
  machine::Telemetry report = machine_.telemetry();
  counters_.add_to(report);
  return report;
}

Loop::End Loop::run() {
  for (;;) {
    wait();
    // Before the clock is read: a message that came while earlier ones were handled would seem to
    // have come before it was sent, and its answer to have taken less time than it did.
    receive();
    const wire::Instant now = runtime::now();
    beat(now);
    poll_handshakes(now);
    machine::Actions actions;
    // The contract of a machine: a message that ties with a timeout loses (machine.h).
    if (const auto due = machine_.next_timeout(); due && *due <= now) {
      gather(actions, machine_.on_timeout(now));
    }
    handle_signals(now, actions);
    report_failed(now, actions);
    pass_on(now, actions);
    perform(std::move(actions), now);
    if (ready(sources_.calls)) calls_.receive();
    // Last, because it blocks: everything that was due has been sent by now.
    work();
    if (finished_) return End::finished;
    if (stops_ > 1) return End::forced;
    if (drain_until_ && *drain_until_ <= now) return End::late;
  }
}

// Returns when to wake up at the latest; nullopt to wait until something arrives.
std::optional<wire::Instant> Loop::wait_until(wire::Instant now) const {
  if (work_ || backlog_ || !failed_.empty()) return now;
  std::optional<wire::Instant> until;
  for (const auto& due : {machine_.next_timeout(), drain_until_, next_beat_, resume_at_}) {
    if (due && (!until || *due < *until)) until = due;
  }
  for (const Socket& socket : sockets_) {
    const auto due = socket.next_timeout();
    if (due && (!until || *due < *until)) until = due;
  }
  return until;
}

void Loop::wait() {
  const std::optional<wire::Instant> until = wait_until(runtime::now());
  poll_.clear();
  // Sockets first, so that a link's number is that of its source.
  for (Socket& socket : sockets_) poll_.add_socket(socket.handle());
  sources_.handshakes.clear();
  for (Socket& socket : sockets_) {
    void* events = socket.handshake_handle();
    sources_.handshakes.push_back(events ? std::optional(poll_.add_drained_socket(events))
                                         : std::nullopt);
  }
  if (authenticator_) sources_.keys = poll_.add_drained_socket(authenticator_->handle());
  sources_.stop = poll_.add_descriptor(stop_.descriptor());
  sources_.wake = poll_.add_descriptor(wake_.descriptor());
  sources_.calls = poll_.add_descriptor(calls_.descriptor());
  if (options_.signals) {
    sources_.signal_stop = poll_.add_descriptor(options_.signals->stop_descriptor());
    sources_.signal_hangup = poll_.add_descriptor(options_.signals->hangup_descriptor());
  }
  poll_.wait(until);
  if (ready(sources_.wake)) wake_.take();
  for (std::size_t link = 0; link < sockets_.size(); ++link) readable_[link] = ready(link);
}

void Loop::beat(wire::Instant now) {
  if (!next_beat_ || now < *next_beat_) return;
  next_beat_ = now + options_.beat_every;
  options_.on_beat();
}

void Loop::poll_handshakes(wire::Instant now) {
  const bool unfinished = std::exchange(backlog_, false);
  const std::uint64_t before = counters_.accepted;
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    Socket& socket = sockets_[i];
    const auto source = sources_.handshakes[i];
    const bool events = source && (unfinished || ready(*source));
    if (!events && !socket.may_reconnect()) continue;
    HandshakeCounters seen;
    backlog_ |= socket.poll_handshakes(options_.handshakes_per_iteration_max, now, seen);
    counters_.handshakes_failed += seen.failed;
    counters_.own_key_refused += seen.refused;
    counters_.server_keys_tried += seen.other_key;
    counters_.accepted += seen.accepted;
    counters_.accept_failed += seen.accept_failed;
    // Without keys whatever looks whether the port is open would fill the log.
    if (options_.silent || !keyed(socket.link())) continue;
    const std::string& endpoint = socket.link().endpoint;
    if (!seen.not_reopened.empty()) {
      warn_limited(handshakes_, now, "cannot connect anew to {}; trying again", seen.not_reopened);
    } else if (seen.refused > 0) {
      warn_limited(handshakes_, now, "{}: the server does not allow our key", endpoint);
    } else if (seen.failed > 0) {
      warn_limited(handshakes_, now, "{}: a handshake failed, {}", endpoint,
                   socket.link().bind
                       ? "the peer has no key or does not know the public key of this server"
                       : "the server's key may have changed");
    }
  }
  pause_accepting(counters_.accepted > before, now);
  if (sources_.keys && (unfinished || ready(*sources_.keys))) serve_keys(now);
}

// Lets new connections wait while few descriptors are left.
void Loop::pause_accepting(bool accepted, wire::Instant now) {
  const auto accept = [this](bool yes) {
    counters_.paused = !yes;
    for (Socket& socket : sockets_) {
      if (!socket.accept_connections(yes))
        spdlog::error("cannot {} accepting", yes ? "resume" : "pause");
    }
  };
  // Asks the system, for under a flood the events of the latest connections are yet to be read.
  if (!counters_.paused && accepted && descriptors_scarce()) {
    accept(false);
    ++counters_.pauses;
    resume_at_ = now + kResumeEvery;
    warn_limited(pauses_, now,
                 "few file descriptors are left, so no new connections are accepted until some are "
                 "closed (LimitNOFILE)");
  } else if (resume_at_ && *resume_at_ <= now) {
    const bool enough = descriptors_suffice();
    if (enough) accept(true);
    resume_at_ = enough ? std::nullopt : std::optional(now + kResumeEvery);
  }
}

void Loop::serve_keys(wire::Instant now) {
  // All servers of one process share one keyring, so any of them will do.
  const auto server = std::ranges::find_if(
      sockets_, [](const Socket& socket) { return socket.link().bind && keyed(socket.link()); });
  backlog_ |= authenticator_->serve(*server->link().keys->now(),
                                    options_.handshakes_per_iteration_max, now);
  counters_.keys_refused = authenticator_->refused();
}

void Loop::handle_signals(wire::Instant now, machine::Actions& actions) {
  const bool first = stops_ == 0;
  if (ready(sources_.stop)) stops_ += stop_.take();
  if (options_.signals) {
    if (ready(sources_.signal_stop)) stops_ += options_.signals->take_stops();
    const bool hangup = ready(sources_.signal_hangup) && options_.signals->take_hangups() > 0;
    if (hangup && options_.on_hangup) options_.on_hangup();
  }
  if (!first || stops_ == 0) return;
  drain_until_ = now + options_.drain_max;
  gather(actions, machine_.on_message(machine::kLocal, wire::Drain{}, now));
}

void Loop::report_failed(wire::Instant now, machine::Actions& actions) {
  for (const Failed& failed : std::exchange(failed_, {})) {
    gather(actions, machine_.on_message(failed.peer, failed.what, now));
  }
}

void Loop::receive() {
  std::size_t silent = 0;  // Links in a row that had no message; all of them: nothing is left.
  while (arrived_.size() < options_.messages_per_iteration_max && silent < sockets_.size()) {
    const std::uint32_t link = next_link_;
    next_link_ = static_cast<std::uint32_t>((next_link_ + 1) % sockets_.size());
    Arrival arrival{.link = link, .foreign = false, .in = {}};
    const Socket::Received received =
        readable_[link] ? sockets_[link].receive(arrival.in) : Socket::Received::nothing;
    if (received == Socket::Received::nothing) {
      readable_[link] = false;
      ++silent;
      continue;
    }
    silent = 0;
    arrival.foreign = received == Socket::Received::foreign;
    arrived_.push_back(std::move(arrival));
  }
  unread_ = silent < sockets_.size();
}

void Loop::pass_on(wire::Instant now, machine::Actions& actions) {
  for (Arrival& arrival : arrived_) pass_on(arrival, now, actions);
  arrived_.clear();  // And with them the payloads that nobody has kept.
  backlog_ |= unread_;
}

void Loop::pass_on(Arrival& arrival, wire::Instant now, machine::Actions& actions) {
  const std::uint32_t link = arrival.link;
  Incoming& in = arrival.in;
  if (arrival.foreign) {
    ++counters_.foreign_id;
    if (!options_.silent) warn_of_foreign_id(arrival, now);
    return;
  }
  std::uint32_t protocol = wire::kProtocol;
  auto message =
      wire::decode({in.header.data<std::uint8_t>(), in.header.size()}, in.payloads, &protocol);
  const bool decoded = message.has_value();
  // The machine gets what cannot be decoded, too: only the machine knows what to answer.
  if (!message) {
    ++(message.error() == wire::Reason::wrong_protocol ? counters_.wrong_protocol
                                                       : counters_.bad_message);
    message = wire::Undecodable{message.error()};
  } else {
    ++counters_.received;
  }
  if (!allowed(link, in, *message, now)) return;
  const bool router = sockets_[link].link().kind == Link::Kind::router;
  if (router && decoded) protocols_[link].heard(in.peer, protocol);
  if (std::holds_alternative<wire::ProducerHello>(*message)) authenticate(link, in, now, actions);
  gather(actions, machine_.on_message({link, in.peer}, std::move(*message), now));
}

// Its sender gets no answer, so the log has to say what is wrong.
void Loop::warn_of_foreign_id(Arrival& arrival, wire::Instant now) {
  warn_limited(foreign_ids_, now,
               "{}: a client at {} chooses its own ZeroMQ routing id, so its messages are dropped; "
               "it must not set ZMQ_ROUTING_ID (ZMQ_IDENTITY)",
               sockets_[arrival.link].link().endpoint, printable(arrival.in.address()));
}

// Returns true if the sender's key allows this message.
bool Loop::allowed(std::uint32_t link, Incoming& in, const wire::Message& message,
                   wire::Instant now) {
  const Link& of = sockets_[link].link();
  if (!of.bind || !keyed(of)) return true;
  const auto keyring = of.keys->now();
  const std::string_view key = in.key();
  const KeyName* who = keyring->named(key);
  const auto denial = access_control_.check(of.name, who, message);
  if (!denial) return true;
  ++counters_.denied;
  warn_limited(denials_, now, "{} on the {} link from {}: {}", kind(message), to_string(of.name),
               who ? to_string(*who) : printable(key), to_string(*denial));
  return false;
}

// Tells the machine the name of the sender's key, if the link has keys.
void Loop::authenticate(std::uint32_t link, Incoming& in, wire::Instant now,
                        machine::Actions& actions) {
  const Link& of = sockets_[link].link();
  if (!of.bind || !keyed(of)) return;
  const auto keyring = of.keys->now();
  const KeyName* who = keyring->named(in.key());
  if (who == nullptr) return;
  gather(actions, machine_.on_message({link, in.peer}, wire::Authenticated{who->name}, now));
}

void Loop::perform(machine::Actions actions, wire::Instant now) {
  for (machine::Outgoing& outgoing : actions.messages) send(std::move(outgoing));
  for (const machine::LogMessage& each : actions.logs) log(each, now);
  if (options_.on_trace) std::ranges::for_each(actions.traces, options_.on_trace);
  COLLAGE_CHECK(!(work_ && actions.work));
  if (actions.work) work_ = std::move(actions.work);
  finished_ = finished_ || actions.finished;
}

void Loop::send(machine::Outgoing outgoing) {
  COLLAGE_CHECK(outgoing.to.link < sockets_.size());
  if (auto* status = std::get_if<wire::Status>(&outgoing.message)) {
    append_counters(*status, counters_);
  }
  using Why = wire::Undelivered::Why;
  PeerProtocols& protocols = protocols_[outgoing.to.link];
  const wire::Frames frames = wire::encode(outgoing.message, protocols.of(outgoing.to.id));
  switch (sockets_[outgoing.to.link].send(outgoing.to.id, frames)) {
    case Socket::Sent::sent:
      ++counters_.sent;
      return;
    case Socket::Sent::unroutable:
      ++counters_.unroutable;
      protocols.forget(outgoing.to.id);
      // Reported in the next iteration: the machine may answer with another message to this peer,
      // which would fail again, and again, without an end.
      failed_.push_back({outgoing.to, {Why::unroutable}});
      return;
    case Socket::Sent::blocked:
      ++counters_.blocked;
      failed_.push_back({outgoing.to, {Why::blocked}});
      return;
  }
}

void Loop::log(const machine::LogMessage& message, wire::Instant now) {
  // A count per second and not a LogLimiter: different messages must not suppress each other.
  if (now - log_since_ >= std::chrono::seconds(1)) {
    log_since_ = now;
    log_lines_ = 0;
  }
  if (++log_lines_ > options_.log_lines_per_second_max) {
    ++counters_.notes_dropped;
  } else if (options_.on_log) {
    options_.on_log(message);
  }
}

void Loop::work() {
  if (!work_) return;
  machine::Work work = *std::exchange(work_, std::nullopt);
  const wire::WorkId id = work.id;
  machine::Outcome outcome = runner_(std::move(work));
  const wire::Instant now = runtime::now();
  perform(machine_.on_done(id, std::move(outcome), now), now);
}

}  // namespace runtime
