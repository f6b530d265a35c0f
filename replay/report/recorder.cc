#include "replay/report/recorder.h"

#include <utility>

namespace replay::report {

Recorder::Recorder(const std::string& policy, const load::Driver::Options& driver,
                   const std::vector<load::Fault>& faults, Truth truth, EventFile& events,
                   Progress progress)
    : faults_(faults),
      strikes_(load::strikes_of(faults)),
      truth_(truth),
      progress_(progress ? std::move(progress) : [](std::size_t) {}),
      batches_(!driver.arrivals.open_loop()),
      events_(events),
      collector_(policy, std::move(truth), driver.slots) {
  events_.policy(policy);
}

load::Driver::Listener Recorder::listener() {
  load::Driver::Listener listener;
  listener.on_begin = [this](wire::Instant at) {
    collector_.begin(at);
    events_.begin(at);
  };
  listener.on_answer = [this](const load::Answer& answer) { answered(answer); };
  listener.on_batch = [this](std::size_t number, wire::Instant at, wire::Duration latency) {
    batch(number, at, latency);
  };
  listener.on_health = [this](wire::Instant at, const load::Counters& broker) {
    const HealthSample sample = collector_.sample(at, broker);
    if (collector_.health(sample)) events_.health(sample);
  };
  listener.on_mark = [this](std::size_t number, wire::Instant at) { mark(number, at); };
  return listener;
}

void Recorder::answered(const load::Answer& answer) {
  collector_.answered(answer);
  events_.answer(answer, truth_ ? truth_(answer.image) : std::string());
  answers_ += 1;
  if (!batches_) progress_(answers_);
}

void Recorder::batch(std::size_t batch, wire::Instant at, wire::Duration latency) {
  collector_.batch(batch, latency);
  events_.batch(batch, at, latency);
  progress_(batch + 1);
}

void Recorder::mark(std::size_t mark, wire::Instant at) {
  const load::Strike& strike = strikes_[mark];
  const std::string what = load::told(faults_[strike.fault], strike.begins);
  collector_.fault(at, what);
  events_.fault(at, what);
}

}  // namespace replay::report
