#include "stages/collage/collage_worker.h"

#include <algorithm>
#include <string>
#include <utility>

#include "machine/earliest.h"
#include "wire/check.h"

namespace stages::collage {
namespace {

constexpr machine::Peer kToAssembler{CollageWorker::kAssembler, 0};
constexpr machine::Peer kToSink{CollageWorker::kSink, 0};

}  // namespace

CollageWorker::CollageWorker(wire::WorkerHello hello, Membership::Policy membership,
                             std::optional<Emulation> emulation)
    : membership_(std::move(hello), membership), line_(std::move(emulation)) {}

machine::Actions CollageWorker::on_message(machine::Peer from, wire::Message message,
                                           wire::Instant now) {
  machine::Actions actions;
  if (auto* task = std::get_if<wire::CollageTask>(&message)) {
    // As in Classifier: an assembler that has just restarted does not know what we still hold.
    if (membership_.held() >= 2 * std::size_t{membership_.hello().capacity}) {
      counters_.over_credit += 1;
    } else if (membership_.take(task->sequence, task->host)) {
      line_.push(std::move(*task), now);
    } else {
      counters_.repeated += 1;
    }
  } else if (const auto* unwanted = std::get_if<wire::DropCollage>(&message)) {
    drop(unwanted->batch, actions);
  } else if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    membership_.on_welcome(*welcome, now);
  } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
    membership_.on_refuse(*refuse, now);
    actions.log(machine::LogMessage::Level::warning,
                "the assembler refuses us: " + std::string(to_string(refuse->reason)));
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    counters_.undelivered += 1;
    if (from.link == kAssembler) membership_.on_undelivered(now);
  } else if (std::holds_alternative<wire::Drain>(message)) {
    actions.send(kToAssembler, membership_.set_leaving(true));
  } else {
    counters_.bad_messages += 1;
  }
  advance(now, actions);
  return actions;
}

void CollageWorker::drop(wire::BatchId batch, machine::Actions& actions) {
  line_.drop([batch](const wire::CollageTask& task) { return task.batch == batch; },
             [&](const wire::CollageTask& task) {
               counters_.dropped += 1;
               actions.send(kToAssembler, membership_.release(task.sequence, task.host));
             });
}

machine::Actions CollageWorker::on_timeout(wire::Instant now) {
  machine::Actions actions;
  if (auto message = membership_.on_timeout(now)) actions.send(kToAssembler, std::move(*message));
  advance(now, actions);
  return actions;
}

machine::Actions CollageWorker::on_done(wire::WorkId work, machine::Outcome outcome,
                                        wire::Instant now) {
  COLLAGE_CHECK(work == work_);
  line_.done(std::move(outcome), now);
  machine::Actions actions;
  advance(now, actions);
  return actions;
}

void CollageWorker::advance(wire::Instant now, machine::Actions& actions) {
  while (auto finished = line_.release(now)) {
    const wire::CollageTask& task = finished->task;
    auto& cells = std::get<machine::Cells>(finished->outcome.what).cells;
    times_.task.observe(now - finished->arrived);
    if (!cells.empty()) times_.inference.observe(finished->outcome.compute);
    (cells.empty() ? counters_.failed : counters_.answered) += 1;
    const wire::Duration age = std::min(task.age + (now - finished->arrived), wire::kDurationMax);
    actions.traces.push_back({.what = cells.empty() ? "failed" : "classified",
                              .batch = task.batch,
                              .slot = std::nullopt,
                              .age = age,
                              .worker = membership_.hello().worker});
    if (!cells.empty()) {
      actions.send(kToSink, wire::CollageAnswer{task.batch, membership_.hello().worker, age,
                                                finished->outcome.compute, std::move(cells),
                                                std::move(finished->outcome.version)});
    }
    actions.send(kToAssembler, membership_.release(task.sequence, task.host));
  }
  if (wire::CollageTask* task = line_.start(now)) {
    work_.value += 1;
    actions.work =
        machine::Work{work_, machine::ClassifyCollage{std::move(task->picture), task->blank}};
  }
  if (membership_.leaving() && line_.idle()) actions.finished = true;
}

std::optional<wire::Instant> CollageWorker::next_timeout() const {
  return machine::earliest({line_.next_timeout(), membership_.next_timeout()});
}

machine::Telemetry CollageWorker::telemetry() const {
  machine::Telemetry report;
  membership_.report(report);
  report.counters("collage_tasks_total", "Tasks done, by how they ended.", "result",
                  {{"answered", counters_.answered},
                   {"failed", counters_.failed},
                   {"not_wanted", counters_.dropped}});
  times_.add_to(report);
  report.dropped({{"repeated", counters_.repeated},
                  {"over_credit", counters_.over_credit},
                  {"undelivered", counters_.undelivered},
                  {"bad_message", counters_.bad_messages}});
  return report;
}

}  // namespace stages::collage
