#include "runtime/loop.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>
#include <zmq.hpp>

#include "runtime/socket.h"
#include "wire/check.h"
#include "wire/codec.h"

namespace runtime {
namespace {

// At most one piece of work may be asked for in a turn.
void gather(wire::Actions& actions, wire::Actions more) {
  COLLAGE_CHECK(!(actions.work && more.work));
  actions.append(std::move(more));
}

void append_counters(wire::Status& status, const LoopCounters& counters) {
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
          {"loop_unroutable", unroutable},
          {"loop_blocked", blocked},
          {"loop_notes_dropped", notes_dropped}};
}

void LoopCounters::add_to(wire::Report& report) const {
  report.counter("collage_messages_received_total", "Messages that were decoded.", received);
  report.counter("collage_messages_sent_total", "Messages handed to a connection.", sent);
  report.counters("collage_messages_dropped_total",
                  "Messages dropped on arrival, or that could not be sent.", "reason",
                  {{"wrong_protocol", wrong_protocol},
                   {"bad_message", bad_message},
                   {"foreign_id", foreign_id},
                   {"unroutable", unroutable},
                   {"blocked", blocked}});
  report.counter("collage_notes_dropped_total", "Lines of the log beyond the rate allowed.",
                 notes_dropped);
}

Loop::Loop(Context& context, const std::vector<Link>& links, wire::Machine& machine, Runner runner,
           Options options)
    : machine_(machine), runner_(std::move(runner)), options_(std::move(options)) {
  COLLAGE_CHECK(options_.messages_per_turn_max > 0);
  if (options_.on_beat && options_.beat_every > wire::Duration::zero()) {
    next_beat_ = runtime::now();
  }
  for (const Link& link : links) sockets_.emplace_back(context, link);
}

Loop::~Loop() = default;

std::string Loop::bound_endpoint(std::size_t link) const {
  return sockets_.at(link).bound_endpoint();
}

wire::Report Loop::report() const {
  wire::Report report = machine_.report();
  counters_.add_to(report);
  return report;
}

Loop::End Loop::run() {
  for (;;) {
    wait();
    const wire::Instant now = runtime::now();
    beat(now);
    wire::Actions actions;
    if (const auto due = machine_.next_timeout(); due && *due <= now) {
      gather(actions, machine_.on_timeout(now));
    }
    heed_stops(now, actions);
    report_failed(now, actions);
    receive(now, actions);
    perform(std::move(actions), now);
    visits_.receive();
    work();
    if (finished_) return End::finished;
    if (stops_ > 1) return End::forced;
    if (drain_until_ && *drain_until_ <= now) return End::late;
  }
}

// When to wake at the latest; nullopt: when something comes.
std::optional<wire::Instant> Loop::wait_until(wire::Instant now) const {
  if (work_ || backlog_ || !failed_.empty()) return now;
  std::optional<wire::Instant> until;
  for (const auto& due : {machine_.next_timeout(), drain_until_, next_beat_}) {
    if (due && (!until || *due < *until)) until = due;
  }
  return until;
}

void Loop::wait() {
  const wire::Instant now = runtime::now();
  const std::optional<wire::Instant> until = wait_until(now);
  const bool at_once = until && *until <= now;
  if (!at_once) alarm_.set(until);
  std::vector<zmq::pollitem_t> items;
  for (Socket& socket : sockets_) items.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
  items.push_back({nullptr, stop_.descriptor(), ZMQ_POLLIN, 0});
  items.push_back({nullptr, wake_.descriptor(), ZMQ_POLLIN, 0});
  items.push_back({nullptr, alarm_.descriptor(), ZMQ_POLLIN, 0});
  items.push_back({nullptr, visits_.descriptor(), ZMQ_POLLIN, 0});
  if (options_.signals) {
    items.push_back({nullptr, options_.signals->stop_descriptor(), ZMQ_POLLIN, 0});
    items.push_back({nullptr, options_.signals->hangup_descriptor(), ZMQ_POLLIN, 0});
  }
  // Interrupted or not: the turn that follows looks at everything anyhow.
  zmq_poll(items.data(), static_cast<int>(items.size()), at_once ? 0 : -1);
  wake_.take();
}

void Loop::beat(wire::Instant now) {
  if (!next_beat_ || now < *next_beat_) return;
  next_beat_ = now + options_.beat_every;
  options_.on_beat();
}

void Loop::heed_stops(wire::Instant now, wire::Actions& actions) {
  const bool first = stops_ == 0;
  stops_ += stop_.take();
  if (options_.signals) {
    stops_ += options_.signals->take_stops();
    if (options_.signals->take_hangups() > 0 && options_.on_hangup) options_.on_hangup();
  }
  if (!first || stops_ == 0) return;
  drain_until_ = now + options_.drain_max;
  gather(actions, machine_.on_message(wire::kLocal, wire::Drain{}, now));
}

void Loop::report_failed(wire::Instant now, wire::Actions& actions) {
  for (const Failed& failed : std::exchange(failed_, {})) {
    gather(actions, machine_.on_message(failed.peer, failed.what, now));
  }
}

void Loop::receive(wire::Instant now, wire::Actions& actions) {
  Incoming in;
  std::size_t silent = 0;
  for (std::size_t taken = 0; taken < options_.messages_per_turn_max;) {
    if (silent == sockets_.size()) break;
    const std::uint32_t link = next_link_;
    next_link_ = static_cast<std::uint32_t>((link + 1) % sockets_.size());
    const bool any = receive_from(link, in, now, actions);
    silent = any ? 0 : silent + 1;
    taken += any;
  }
  backlog_ = silent < sockets_.size();
}

// False if nothing had come.
bool Loop::receive_from(std::uint32_t link, Incoming& in, wire::Instant now,
                        wire::Actions& actions) {
  const Socket::Received received = sockets_[link].receive(in);
  if (received == Socket::Received::nothing) return false;
  if (received == Socket::Received::foreign) {
    ++counters_.foreign_id;
    return true;
  }
  auto message = wire::decode({in.header.data<std::uint8_t>(), in.header.size()}, in.payloads);
  if (!message) {
    ++(message.error() == wire::Reason::wrong_protocol ? counters_.wrong_protocol
                                                       : counters_.bad_message);
    message = wire::Undecodable{message.error()};
  } else {
    ++counters_.received;
  }
  gather(actions, machine_.on_message({link, in.peer}, std::move(*message), now));
  return true;
}

void Loop::perform(wire::Actions actions, wire::Instant now) {
  for (wire::Outgoing& outgoing : actions.messages) send(std::move(outgoing));
  for (const wire::Note& each : actions.notes) note(each, now);
  COLLAGE_CHECK(!(work_ && actions.work));
  if (actions.work) work_ = std::move(actions.work);
  finished_ = finished_ || actions.finished;
}

void Loop::send(wire::Outgoing outgoing) {
  COLLAGE_CHECK(outgoing.to.link < sockets_.size());
  if (auto* status = std::get_if<wire::Status>(&outgoing.message)) {
    append_counters(*status, counters_);
  }
  using Why = wire::Undelivered::Why;
  switch (sockets_[outgoing.to.link].send(outgoing.to.id, wire::encode(outgoing.message))) {
    case Socket::Sent::sent:
      ++counters_.sent;
      return;
    case Socket::Sent::unroutable:
      ++counters_.unroutable;
      failed_.push_back({outgoing.to, {Why::unroutable}});
      return;
    case Socket::Sent::blocked:
      ++counters_.blocked;
      failed_.push_back({outgoing.to, {Why::blocked}});
      return;
  }
}

void Loop::note(const wire::Note& note, wire::Instant now) {
  if (now - notes_since_ >= std::chrono::seconds(1)) {
    notes_since_ = now;
    notes_ = 0;
  }
  if (++notes_ > options_.notes_per_second_max) {
    ++counters_.notes_dropped;
  } else if (options_.on_note) {
    options_.on_note(note);
  }
}

void Loop::work() {
  if (!work_) return;
  wire::Work work = *std::exchange(work_, std::nullopt);
  const wire::WorkId id = work.id;
  wire::Outcome outcome = runner_(std::move(work));
  const wire::Instant now = runtime::now();
  perform(machine_.on_done(id, std::move(outcome), now), now);
}

}  // namespace runtime
