#include "stages/classifier/classifier.h"

#include <algorithm>
#include <string>
#include <utility>

#include "machine/earliest.h"
#include "wire/check.h"

namespace stages::classifier {
namespace {

constexpr machine::Peer kToBroker{kBroker, 0};
constexpr machine::Peer kToSink{kSink, 0};

}  // namespace

Classifier::Classifier(wire::WorkerHello hello, Membership::Policy membership,
                       std::optional<Emulation> emulation)
    : membership_(std::move(hello), membership), line_(std::move(emulation)) {}

machine::Actions Classifier::on_message(machine::Peer from, wire::Message message,
                                        wire::Instant now) {
  machine::Actions actions;
  if (auto* assign = std::get_if<wire::Assign>(&message); assign && from.link == kBroker) {
    take(std::move(*assign), now);
  } else if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    if (membership_.on_welcome(*welcome, now))
      actions.log(machine::LogMessage::Level::info, "joined");
  } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
    membership_.on_refuse(*refuse, now);
    actions.log(machine::LogMessage::Level::warning,
                "the broker refuses us: " + std::string(to_string(refuse->reason)));
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    counters_.undelivered += 1;
    if (from.link == kBroker) membership_.on_undelivered(now);
  } else if (std::holds_alternative<wire::Drain>(message)) {
    actions.send(kToBroker, membership_.set_leaving(true));
  } else {
    counters_.bad_messages += 1;
  }
  advance(now, actions);
  return actions;
}

void Classifier::take(wire::Assign assign, wire::Instant now) {
  // A broker that has just restarted does not know yet what we still hold for the one before.
  if (membership_.held() >= 2 * std::size_t{membership_.hello().capacity}) {
    counters_.over_credit += 1;
  } else if (!membership_.take(assign.sequence, assign.batch.epoch)) {
    counters_.repeated += 1;
  } else {
    line_.push(std::move(assign), now);
  }
}

machine::Actions Classifier::on_timeout(wire::Instant now) {
  machine::Actions actions;
  if (auto message = membership_.on_timeout(now)) actions.send(kToBroker, std::move(*message));
  advance(now, actions);
  return actions;
}

machine::Actions Classifier::on_done(wire::WorkId work, machine::Outcome outcome,
                                     wire::Instant now) {
  COLLAGE_CHECK(work == work_);
  line_.done(std::move(outcome), now);
  machine::Actions actions;
  advance(now, actions);
  return actions;
}

void Classifier::advance(wire::Instant now, machine::Actions& actions) {
  while (auto finished = line_.release(now)) {
    const wire::Assign& task = finished->task;
    auto& verdict = std::get<wire::Verdict>(finished->outcome.what);
    times_.task.observe(now - finished->arrived);
    if (verdict.reason == wire::Reason::none) times_.inference.observe(finished->outcome.compute);
    (verdict.reason == wire::Reason::none ? counters_.answered : counters_.rejected) += 1;
    const wire::Duration age = std::min(task.age + (now - finished->arrived), wire::kDurationMax);
    actions.traces.push_back(
        {.what = verdict.reason == wire::Reason::none ? "classified" : "rejected",
         .batch = task.batch,
         .slot = task.slot,
         .age = age,
         .worker = membership_.hello().worker});
    actions.send(kToSink, wire::Answer{task.batch, task.slot, membership_.hello().worker,
                                       task.hedge, age, finished->outcome.compute,
                                       std::move(verdict), std::move(finished->outcome.version)});
    actions.send(kToBroker, membership_.release(task.sequence, task.batch.epoch));
  }
  if (wire::Assign* task = line_.start(now)) {
    work_.value += 1;
    actions.work = machine::Work{work_, machine::Classify{std::move(task->image)}};
  }
  if (membership_.leaving() && line_.idle()) actions.finished = true;
}

std::optional<wire::Instant> Classifier::next_timeout() const {
  return machine::earliest({line_.next_timeout(), membership_.next_timeout()});
}

machine::Telemetry Classifier::telemetry() const {
  machine::Telemetry report;
  membership_.report(report);
  report.counters("collage_tasks_total", "Tasks done, by how they ended.", "result",
                  {{"answered", counters_.answered}, {"rejected", counters_.rejected}});
  times_.add_to(report);
  report.dropped({{"repeated", counters_.repeated},
                  {"over_credit", counters_.over_credit},
                  {"undelivered", counters_.undelivered},
                  {"bad_message", counters_.bad_messages}});
  return report;
}

}  // namespace stages::classifier
