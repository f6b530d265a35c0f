#include "replay/report/recorder.h"

#include <utility>

namespace replay::report {

Recorder::Recorder(const std::string& policy, const load::LoadGenerator::Options& generator,
                   const std::vector<load::Fault>& faults, Truth truth, EventFile& events,
                   Progress progress)
    : faults_(faults),
      schedule_(load::fault_schedule(faults)),
      truth_(truth),
      progress_(progress ? std::move(progress) : [](std::size_t) {}),
      batches_(!generator.arrivals.open_loop()),
      events_(events),
      collector_(policy, std::move(truth), generator.slots) {
  events_.policy(policy);
}

load::LoadGenerator::Listener Recorder::listener() {
  load::LoadGenerator::Listener listener;
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
  const load::FaultEvent& event = schedule_[mark];
  const std::string what = load::describe(faults_[event.fault], event.begins);
  collector_.fault(at, what);
  events_.fault(at, what);
}

}  // namespace replay::report
