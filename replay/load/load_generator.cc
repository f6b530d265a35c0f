#include "replay/load/load_generator.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace replay::load {
namespace {

constexpr machine::Peer kToBroker{LoadGenerator::kBroker, 0};
constexpr machine::Peer kToSink{LoadGenerator::kSink, 0};
// While a stage is busy the next request follows each Status; this interval matters only if a
// Status is lost.
constexpr wire::Duration kIdleProbe = std::chrono::seconds(1);

std::uint64_t value(const Counters& counters, const std::string& name) {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

// A counter that fell belongs to a process that has restarted and counts from zero.
std::uint64_t rise(const Counters& now, const Counters& before, const std::string& name) {
  const std::uint64_t high = value(now, name);
  const std::uint64_t low = value(before, name);
  return high >= low ? high - low : high;
}

}  // namespace

LoadGenerator::LoadGenerator(Options options, producer::Policy client, Listener listener)
    : options_(std::move(options)), client_(client), listener_(std::move(listener)) {
  COLLAGE_CHECK(options_.slots > 0 && options_.images > 0 && listener_.image != nullptr);
  if (options_.arrivals.open_loop()) {
    schedule_.emplace(options_.arrivals, options_.seed);
  } else {
    COLLAGE_CHECK(options_.images % options_.slots == 0);
  }
}

machine::Actions LoadGenerator::on_message(machine::Peer from, wire::Message message,
                                           wire::Instant now) {
  machine::Actions actions;
  if (std::holds_alternative<wire::Drain>(message)) {
    interrupted_ = phase_ != Phase::finished;
    phase_ = Phase::finished;
  } else if (const auto* status = std::get_if<wire::Status>(&message)) {
    on_status(from, *status, now);
  } else if (from.link == kBroker) {
    actions = client_.on_message(from, std::move(message), now);
  }
  turn(actions, now);
  return actions;
}

machine::Actions LoadGenerator::on_timeout(wire::Instant now) {
  if (!give_up_at_) give_up_at_ = now + phase_max(phase_);
  machine::Actions actions = client_.on_timeout(now);
  turn(actions, now);
  return actions;
}

machine::Actions LoadGenerator::on_done(wire::WorkId, machine::Outcome, wire::Instant) {
  COLLAGE_CHECK(false && "the load generator asks for no work");
  return {};
}

void LoadGenerator::on_status(machine::Peer from, const wire::Status& status, wire::Instant now) {
  Counters& counters = from.link == kBroker ? broker_ : sink_;
  counters.clear();
  for (const wire::Counter& counter : status.counters) counters[counter.name] = counter.value;
  (from.link == kBroker ? broker_fresh_ : sink_fresh_) = true;
  if (phase_ == Phase::idling && !idle()) probe_at_ = now + options_.probe_every;
  if (from.link == kBroker && watching() && listener_.on_health) listener_.on_health(now, broker_);
}

std::uint64_t LoadGenerator::broker_rise(const std::string& name) const {
  return rise(broker_, broker_before_, name);
}

std::uint64_t LoadGenerator::sink_rise(const std::string& name) const {
  return rise(sink_, sink_before_, name);
}

bool LoadGenerator::ready() const {
  return broker_fresh_ && value(broker_, "classifiers") >= options_.classifiers &&
         value(broker_, "assemblers") >= options_.assemblers && value(broker_, "sinks") >= 1 &&
         client_.joined();
}

bool LoadGenerator::idle() const {
  return broker_fresh_ && value(broker_, "requests_open") == 0 &&
         value(broker_, "tasks_outstanding") == 0 && value(broker_, "collages_outstanding") == 0;
}

bool LoadGenerator::asking() const {
  return phase_ == Phase::readying || phase_ == Phase::idling || phase_ == Phase::counting;
}

bool LoadGenerator::watching() const {
  return counted_ && phase_ != Phase::counting && phase_ != Phase::finished;
}

void LoadGenerator::turn(machine::Actions& actions, wire::Instant now) {
  collect(now);
  if (phase_ == Phase::readying && ready()) phase_ = Phase::counting;
  give_up(now);
  if (watching()) pass_marks(now);
  if (phase_ == Phase::idling && idle()) leave_idling();
  if (phase_ == Phase::counting && broker_fresh_ && sink_fresh_) leave_counting(now);
  const bool sending = phase_ == Phase::sending || (phase_ == Phase::flowing && now >= due_);
  if (phase_ == Phase::sending) submit_batch(now);
  if (phase_ == Phase::flowing) submit_due(now);
  // The client sends on its timeout: without this call the images would wait for the next turn.
  if (sending) actions.append(client_.on_timeout(now));
  ask(actions, now);
  actions.finished = phase_ == Phase::finished;
}

wire::Duration LoadGenerator::phase_max(Phase phase) const {
  const bool starting = phase == Phase::readying && options_.ready_max > wire::Duration{};
  return starting ? options_.ready_max : options_.phase_max;
}

// Whether the fleet can no longer become ready.  Asked as often as the broker is asked: the answer
// may cost system calls.
bool LoadGenerator::hopeless(wire::Instant now) const {
  return phase_ == Phase::readying && now >= probe_at_ && listener_.may_become_ready &&
         !listener_.may_become_ready();
}

void LoadGenerator::give_up(wire::Instant now) {
  // An open loop may last for as long as it takes, but deliver() has to move the limit.
  if (std::exchange(timed_, phase_) != phase_) give_up_at_ = now + phase_max(phase_);
  if (phase_ == Phase::finished || !give_up_at_) return;
  if (now < *give_up_at_ && !hopeless(now)) return;
  gave_up_ = true;
  phase_ = Phase::finished;
}

void LoadGenerator::pass_marks(wire::Instant now) {
  for (; mark_ < options_.marks.size() && now >= begun_ + options_.marks[mark_]; ++mark_) {
    if (listener_.on_mark) listener_.on_mark(mark_, now);
  }
}

void LoadGenerator::leave_idling() {
  const bool over = sent_ == options_.images;
  const bool turning = batch_ == options_.warm_up && !counted_;
  phase_ = over || turning ? Phase::counting : Phase::sending;
  sink_fresh_ = false;
}

void LoadGenerator::leave_counting(wire::Instant now) {
  if (sent_ == options_.images) {
    phase_ = Phase::finished;
    return;
  }
  if (warming()) {
    phase_ = Phase::sending;
    return;
  }
  broker_before_ = broker_;
  sink_before_ = sink_;
  counted_ = true;
  begun_ = now;
  due_ = now;
  health_at_ = now + options_.health_every;
  phase_ = schedule_ ? Phase::flowing : Phase::sending;
  if (listener_.on_begin) listener_.on_begin(now);
}

void LoadGenerator::submit(std::size_t image, bool counts, wire::Instant intended,
                           wire::Instant now) {
  const wire::RequestId id = next_;
  next_.value += 1;
  const auto submitted = client_.submit(id, listener_.image(image), {}, now);
  if (submitted == producer::Client::Submitted::queued) {
    open_[id] = {image, counts, intended};
    return;
  }
  producer::Delivered turned_away;
  turned_away.result.request = id;
  turned_away.result.status = wire::ResultStatus::refused;
  turned_away.local = true;
  deliver({image, counts, intended}, std::move(turned_away), now);
}

void LoadGenerator::submit_batch(wire::Instant now) {
  const bool counts = !warming();
  const std::size_t first = counts ? sent_ : batch_ * options_.slots;
  for (std::size_t i = 0; i < options_.slots; ++i) {
    submit((first + i) % options_.images, counts, now, now);
  }
  if (counts) sent_ += options_.slots;
  batch_sent_ = now;
  phase_ = Phase::answering;
}

void LoadGenerator::submit_due(wire::Instant now) {
  while (sent_ < options_.images && due_ <= now) {
    for (std::size_t i = 0; i < schedule_->burst() && sent_ < options_.images; ++i, ++sent_) {
      submit(sent_, true, due_, now);
    }
    due_ = due_ + schedule_->gap();
  }
}

void LoadGenerator::deliver(const Sent& sent, producer::Delivered delivered, wire::Instant now) {
  if (!sent.counts) return;
  answered_ += 1;
  give_up_at_ = now + options_.phase_max;
  if (!listener_.on_answer) return;
  listener_.on_answer(
      {sent.image, now, now - sent.intended, std::move(delivered.result), delivered.local});
}

void LoadGenerator::collect(wire::Instant now) {
  for (producer::Delivered& delivered : client_.take_results()) {
    const auto sent = open_.extract(delivered.result.request);
    COLLAGE_CHECK(!sent.empty());
    deliver(sent.mapped(), std::move(delivered), now);
  }
  if (!open_.empty()) return;
  if (phase_ == Phase::answering) batch_done(now);
  if (phase_ == Phase::flowing && sent_ == options_.images) {
    phase_ = Phase::idling;
    broker_fresh_ = false;
    probe_at_ = now;
  }
}

void LoadGenerator::batch_done(wire::Instant now) {
  const bool counts = !warming();
  if (counts && listener_.on_batch) {
    listener_.on_batch(batch_ - options_.warm_up, now, now - batch_sent_);
  }
  batch_ += 1;
  const bool busy = options_.arrivals.kind == Arrivals::Kind::busy_batches;
  if (counts && busy && sent_ < options_.images) {
    phase_ = Phase::sending;
    return;
  }
  phase_ = Phase::idling;
  broker_fresh_ = false;
  probe_at_ = now;
}

void LoadGenerator::ask(machine::Actions& actions, wire::Instant now) {
  if (asking() && now >= probe_at_) {
    actions.send(kToBroker, wire::StatusRequest{});
    if (phase_ == Phase::counting) actions.send(kToSink, wire::StatusRequest{});
    probe_at_ = now + (phase_ == Phase::idling ? kIdleProbe : options_.probe_every);
  } else if (watching() && now >= health_at_) {
    actions.send(kToBroker, wire::StatusRequest{});
  }
  if (watching() && now >= health_at_) health_at_ = now + options_.health_every;
}

std::optional<wire::Instant> LoadGenerator::next_timeout() const {
  std::optional<wire::Instant> next = client_.next_timeout();
  const auto sooner = [&next](wire::Instant at) { next = std::min(at, next.value_or(at)); };
  if (phase_ != Phase::finished) sooner(give_up_at_.value_or(wire::Instant{}));
  if (asking()) sooner(probe_at_);
  if (watching()) sooner(health_at_);
  if (watching() && mark_ < options_.marks.size()) sooner(begun_ + options_.marks[mark_]);
  if (phase_ == Phase::flowing && sent_ < options_.images) sooner(due_);
  return next;
}

}  // namespace replay::load
