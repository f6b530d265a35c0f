#include "replay/live/batch_driver.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace replay::live {
namespace {

constexpr wire::Peer kToBroker{BatchDriver::kBroker, 0};
constexpr wire::Peer kToSink{BatchDriver::kSink, 0};

}  // namespace

BatchDriver::BatchDriver(Options options, producer::Policy client,
                         std::vector<wire::Payload> images,
                         std::function<void(std::size_t done)> on_batch)
    : options_(options),
      client_(client),
      images_(std::move(images)),
      on_batch_(std::move(on_batch)) {
  COLLAGE_CHECK(options_.slots > 0 && !images_.empty() && images_.size() % options_.slots == 0);
}

wire::Actions BatchDriver::on_message(wire::Peer from, wire::Message message, wire::Instant now) {
  wire::Actions actions;
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

wire::Actions BatchDriver::on_timeout(wire::Instant now) {
  if (!give_up_at_) give_up_at_ = now + options_.phase_max;
  wire::Actions actions = client_.on_timeout(now);
  turn(actions, now);
  return actions;
}

wire::Actions BatchDriver::on_done(wire::WorkId, wire::Outcome, wire::Instant) {
  COLLAGE_CHECK(!"the driver asks for no work");
  return {};
}

void BatchDriver::on_status(wire::Peer from, const wire::Status& status, wire::Instant now) {
  Counters& counters = from.link == kBroker ? broker_ : sink_;
  counters.clear();
  for (const wire::Counter& counter : status.counters) counters[counter.name] = counter.value;
  (from.link == kBroker ? broker_fresh_ : sink_fresh_) = true;
  if (phase_ == Phase::idling && !idle()) probe_at_ = now + options_.probe_every;
}

std::uint64_t BatchDriver::value(const Counters& counters, const char* name) const {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

std::uint64_t BatchDriver::counted(const Counters& now, const Counters& before,
                                   const std::string& name) const {
  return value(now, name.c_str()) - value(before, name.c_str());
}

bool BatchDriver::ready() const {
  return broker_fresh_ && value(broker_, "classifiers") >= options_.classifiers &&
         value(broker_, "assemblers") >= options_.assemblers && value(broker_, "sinks") >= 1 &&
         client_.joined();
}

bool BatchDriver::idle() const {
  return broker_fresh_ && value(broker_, "requests_open") == 0 &&
         value(broker_, "tasks_outstanding") == 0 && value(broker_, "collages_outstanding") == 0;
}

void BatchDriver::turn(wire::Actions& actions, wire::Instant now) {
  collect(now);
  if (phase_ == Phase::readying && ready()) phase_ = Phase::counting;
  if (std::exchange(timed_, phase_) != phase_) give_up_at_ = now + options_.phase_max;
  if (phase_ != Phase::finished && give_up_at_ && now >= *give_up_at_) {
    gave_up_ = true;
    phase_ = Phase::finished;
  }
  if (phase_ == Phase::idling && idle()) {
    if (!warming()) on_batch_(batch_ - options_.warm_up);
    // Counters are read between the warm-up and what counts, and at the end.
    const bool turning = batch_ == options_.warm_up;
    const bool over = batch_ == options_.warm_up + images_.size() / options_.slots;
    phase_ = turning || over ? Phase::counting : Phase::sending;
    sink_fresh_ = false;
  }
  if (phase_ == Phase::counting && broker_fresh_ && sink_fresh_) {
    if (batch_ <= options_.warm_up) {
      broker_before_ = broker_;
      sink_before_ = sink_;
      phase_ = Phase::sending;
    } else {
      phase_ = Phase::finished;
    }
  }
  if (phase_ == Phase::sending) {
    submit(now);
    actions.append(client_.on_timeout(now));  // What was just submitted goes at once.
  }
  const bool asking =
      phase_ == Phase::readying || phase_ == Phase::idling || phase_ == Phase::counting;
  if (asking && now >= probe_at_) {
    actions.send(kToBroker, wire::Probe{});
    if (phase_ == Phase::counting) actions.send(kToSink, wire::Probe{});
    probe_at_ = now + (phase_ == Phase::idling ? std::chrono::seconds(1) : options_.probe_every);
  }
  actions.finished = phase_ == Phase::finished;
}

void BatchDriver::submit(wire::Instant now) {
  const std::size_t batches = images_.size() / options_.slots;
  const std::size_t first =
      (warming() ? batch_ % batches : batch_ - options_.warm_up) * options_.slots;
  for (std::size_t i = first; i < first + options_.slots; ++i) {
    const auto submitted = client_.submit(next_, images_[i], {}, now);
    COLLAGE_CHECK(submitted == producer::Client::Submitted::queued);
    image_of_[next_] = i;
    next_.value += 1;
  }
  sent_ = now;
  open_ = options_.slots;
  phase_ = Phase::answering;
}

void BatchDriver::collect(wire::Instant now) {
  for (producer::Delivered& delivered : client_.take_results()) {
    const auto image = image_of_.extract(delivered.result.request);
    COLLAGE_CHECK(!image.empty());
    open_ -= 1;
    if (!warming()) {
      records_.push_back({image.mapped(), batch_ - options_.warm_up, delivered.latency,
                          std::move(delivered.result)});
    }
  }
  if (phase_ != Phase::answering || open_ > 0) return;
  if (!warming()) batches_.push_back(now - sent_);
  batch_ += 1;
  phase_ = Phase::idling;
  broker_fresh_ = false;
  probe_at_ = now;
}

std::optional<wire::Instant> BatchDriver::next_timeout() const {
  std::optional<wire::Instant> next = client_.next_timeout();
  const auto sooner = [&next](wire::Instant at) { next = std::min(at, next.value_or(at)); };
  if (phase_ != Phase::finished) sooner(give_up_at_.value_or(wire::Instant{}));
  if (phase_ == Phase::readying || phase_ == Phase::idling || phase_ == Phase::counting) {
    sooner(probe_at_);
  }
  return next;
}

}  // namespace replay::live
