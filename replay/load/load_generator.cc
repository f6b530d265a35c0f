#include "replay/load/load_generator.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace replay::load {
namespace {

constexpr machine::Peer kToBroker{LoadGenerator::kBroker, 0};
// While a stage is busy the next request follows each Status; this interval matters only if a
// Status is lost.
constexpr wire::Duration kIdleProbe = std::chrono::seconds(1);

// A counter that fell belongs to a process that has restarted and counts from zero.
std::uint64_t rise(const Counters& now, const Counters& before, std::string_view name) {
  const std::uint64_t high = now.value(name);
  const std::uint64_t low = before.value(name);
  return high >= low ? high - low : high;
}

// Makes the actions of a client, which knows one link, those of its producer's link.
machine::Actions moved(machine::Actions actions, std::size_t producer) {
  for (machine::Outgoing& out : actions.messages) {
    out.to.link = LoadGenerator::broker_link(producer);
  }
  return actions;
}

}  // namespace

LoadGenerator::LoadGenerator(Options options, producer::Policy client, Listener listener)
    : options_(std::move(options)), listener_(std::move(listener)), sinks_(options_.sinks) {
  COLLAGE_CHECK(options_.sinks > 0 && options_.slots > 0 && options_.images > 0 &&
                listener_.image != nullptr);
  COLLAGE_CHECK(options_.arrivals.open_loop() ||
                (options_.images % options_.slots == 0 && options_.more.empty()));
  client.retry_refused = client.retry_refused && options_.retry_refused;
  for (std::size_t i = 0; i < options_.producers(); ++i) {
    const Arrivals& arrivals = i == 0 ? options_.arrivals : options_.more[i - 1];
    producers_.push_back({.client = producer::Client(client), .schedule = {}});
    if (i < options_.priorities.size()) producers_[i].priority = options_.priorities[i];
    if (arrivals.open_loop()) producers_[i].schedule.emplace(arrivals, options_.seed + i);
    client.producer.low += 1;
  }
}

machine::Actions LoadGenerator::on_message(machine::Peer from, wire::Message message,
                                           wire::Instant now) {
  machine::Actions actions;
  if (std::holds_alternative<wire::Drain>(message)) {
    interrupted_ = phase_ != Phase::finished;
    phase_ = Phase::finished;
  } else if (auto* status = std::get_if<wire::Status>(&message)) {
    on_status(from, std::move(*status), now);
  } else if (sink_at(from.link) == nullptr) {
    const std::size_t producer = from.link == kBroker ? 0 : from.link - kMore + 1;
    COLLAGE_CHECK(producer < producers_.size());
    from.link = kBroker;
    actions =
        moved(producers_[producer].client.on_message(from, std::move(message), now), producer);
  }
  turn(actions, now);
  return actions;
}

machine::Actions LoadGenerator::on_timeout(wire::Instant now) {
  if (!give_up_at_) give_up_at_ = now + phase_max(phase_);
  machine::Actions actions;
  call_clients(actions, now);
  turn(actions, now);
  return actions;
}

void LoadGenerator::call_clients(machine::Actions& actions, wire::Instant now) {
  for (std::size_t i = 0; i < producers_.size(); ++i) {
    actions.append(moved(producers_[i].client.on_timeout(now), i));
  }
}

machine::Actions LoadGenerator::on_done(wire::WorkId, machine::Outcome, wire::Instant) {
  COLLAGE_CHECK(false && "the load generator asks for no work");
  return {};
}

LoadGenerator::Sink* LoadGenerator::sink_at(std::uint32_t link) {
  for (std::size_t i = 0; i < sinks_.size(); ++i) {
    if (link == options_.sink_link(i)) return &sinks_[i];
  }
  return nullptr;
}

void LoadGenerator::on_status(machine::Peer from, wire::Status status, wire::Instant now) {
  Sink* sink = sink_at(from.link);
  (sink == nullptr ? broker_ : sink->now) = Counters(std::move(status));
  (sink == nullptr ? broker_fresh_ : sink->fresh) = true;
  if (phase_ == Phase::idling && !idle()) probe_at_ = now + options_.probe_every;
  if (from.link == kBroker && watching() && listener_.on_health) listener_.on_health(now, broker_);
}

bool LoadGenerator::broker_restarted() const {
  return counted_ && client().welcome().epoch != epoch_;
}

std::uint64_t LoadGenerator::broker_rise(std::string_view name) const {
  return rise(broker_, broker_before_, name);
}

std::uint64_t LoadGenerator::sink_rise(std::string_view name) const {
  std::uint64_t all = 0;
  for (const Sink& sink : sinks_) all += rise(sink.now, sink.before, name);
  return all;
}

bool LoadGenerator::sinks_fresh() const {
  return std::ranges::all_of(sinks_, [](const Sink& sink) { return sink.fresh; });
}

bool LoadGenerator::ready() const {
  return broker_fresh_ && broker_.value("classifiers") >= options_.classifiers &&
         broker_.value("assemblers") >= options_.assemblers &&
         broker_.value("sinks") >= options_.sinks &&
         std::ranges::all_of(producers_, [](const Producer& p) { return p.client.joined(); });
}

bool LoadGenerator::idle() const {
  return broker_fresh_ && broker_.value("requests_open") == 0 &&
         broker_.value("tasks_outstanding") == 0 && broker_.value("collages_outstanding") == 0;
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
  if (phase_ == Phase::counting && broker_fresh_ && sinks_fresh()) leave_counting(now);
  const bool sending =
      phase_ == Phase::sending || (phase_ == Phase::flowing && now >= producers_[first_due()].due);
  if (phase_ == Phase::sending) submit_batch(now);
  if (phase_ == Phase::flowing) submit_due(now);
  // A client sends on its timeout: without this call the images would wait for the next turn.
  if (sending) call_clients(actions, now);
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
  for (Sink& sink : sinks_) sink.fresh = false;
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
  for (Sink& sink : sinks_) sink.before = sink.now;
  counted_ = true;
  begun_ = now;
  epoch_ = client().welcome().epoch;
  for (Producer& producer : producers_) producer.due = now;
  health_at_ = now + options_.health_every;
  phase_ = options_.arrivals.open_loop() ? Phase::flowing : Phase::sending;
  if (listener_.on_begin) listener_.on_begin(now);
}

void LoadGenerator::submit(std::size_t producer, std::size_t image, bool counts,
                           wire::Instant intended, wire::Instant now) {
  Producer& own = producers_[producer];
  const wire::RequestId id = own.next;
  own.next.value += 1;
  const auto submitted =
      own.client.submit(id, listener_.image(image), {.priority = own.priority}, now);
  if (submitted == producer::Client::Submitted::queued) {
    own.open[id] = {image, counts, intended};
    return;
  }
  producer::Delivered turned_away;
  turned_away.result.request = id;
  turned_away.result.status = wire::ResultStatus::refused;
  turned_away.local = true;
  deliver(producer, {image, counts, intended}, std::move(turned_away), now);
}

void LoadGenerator::submit_batch(wire::Instant now) {
  const bool counts = !warming();
  const std::size_t first = counts ? sent_ : batch_ * options_.slots;
  for (std::size_t i = 0; i < options_.slots; ++i) {
    submit(0, (first + i) % options_.images, counts, now, now);
  }
  if (counts) sent_ += options_.slots;
  batch_sent_ = now;
  phase_ = Phase::answering;
}

// The producer whose next arrival is the earliest; the lower index if two are.
std::size_t LoadGenerator::first_due() const {
  const auto first = std::ranges::min_element(producers_, {}, &Producer::due);
  return static_cast<std::size_t>(first - producers_.begin());
}

bool LoadGenerator::none_open() const {
  return std::ranges::all_of(producers_, [](const Producer& p) { return p.open.empty(); });
}

void LoadGenerator::submit_due(wire::Instant now) {
  while (sent_ < options_.images) {
    const std::size_t i = first_due();
    Producer& producer = producers_[i];
    if (producer.due > now) return;
    const std::size_t burst = producer.schedule->burst();
    for (std::size_t sent = 0; sent < burst && sent_ < options_.images; ++sent, ++sent_) {
      submit(i, sent_, true, producer.due, now);
    }
    producer.due = producer.due + producer.schedule->gap();
  }
}

void LoadGenerator::deliver(std::size_t producer, const Sent& sent, producer::Delivered delivered,
                            wire::Instant now) {
  if (!sent.counts) return;
  answered_ += 1;
  with_answer_ += delivered.result.status == wire::ResultStatus::answered ? 1 : 0;
  give_up_at_ = now + options_.phase_max;
  if (!listener_.on_answer) return;
  listener_.on_answer({.image = sent.image,
                       .at = now,
                       .latency = now - sent.intended,
                       .result = std::move(delivered.result),
                       .local = delivered.local,
                       .producer = producer});
}

void LoadGenerator::collect(wire::Instant now) {
  for (std::size_t i = 0; i < producers_.size(); ++i) {
    for (producer::Delivered& delivered : producers_[i].client.take_results()) {
      const auto sent = producers_[i].open.extract(delivered.result.request);
      COLLAGE_CHECK(!sent.empty());
      deliver(i, sent.mapped(), std::move(delivered), now);
    }
  }
  if (!none_open()) return;
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
    if (phase_ == Phase::counting) {
      for (std::size_t i = 0; i < sinks_.size(); ++i) {
        actions.send({.link = options_.sink_link(i)}, wire::StatusRequest{});
      }
    }
    probe_at_ = now + (phase_ == Phase::idling ? kIdleProbe : options_.probe_every);
  } else if (watching() && now >= health_at_) {
    actions.send(kToBroker, wire::StatusRequest{});
  }
  if (watching() && now >= health_at_) health_at_ = now + options_.health_every;
}

std::optional<wire::Instant> LoadGenerator::next_timeout() const {
  std::optional<wire::Instant> next;
  const auto sooner = [&next](wire::Instant at) { next = std::min(at, next.value_or(at)); };
  for (const Producer& producer : producers_) {
    if (const auto at = producer.client.next_timeout()) sooner(*at);
  }
  if (phase_ != Phase::finished) sooner(give_up_at_.value_or(wire::Instant{}));
  if (asking()) sooner(probe_at_);
  if (watching()) sooner(health_at_);
  if (watching() && mark_ < options_.marks.size()) sooner(begun_ + options_.marks[mark_]);
  if (phase_ == Phase::flowing && sent_ < options_.images) sooner(producers_[first_due()].due);
  return next;
}

}  // namespace replay::load
