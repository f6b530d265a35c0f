#include "stages/classifier/classifier.h"

#include <utility>

namespace stages::classifier {
namespace {

constexpr const char* kTasks = "collage_tasks_total";
constexpr const char* kTasksHelp = "Tasks done, by how they ended.";

constexpr machine::Figure<Counters> kFigures[] = {
    machine::counter<Counters>([](const Counters& c) { return c.answered; }, "", kTasks, kTasksHelp,
                               "result", "answered"),
    machine::counter<Counters>([](const Counters& c) { return c.rejected; }, "", kTasks, kTasksHelp,
                               "result", "rejected"),
    machine::counter<Counters>([](const Counters& c) { return c.failed; }, "", kTasks, kTasksHelp,
                               "result", "failed"),
    machine::counter<Counters>([](const Counters& c) { return c.withdrawn; }, "", kTasks,
                               kTasksHelp, "result", "withdrawn"),
};

}  // namespace

decltype(machine::Work::job) Classifier::job(std::span<wire::Assign* const> tasks) {
  machine::Classify job{std::move(tasks.front()->image)};
  for (wire::Assign* task : tasks.subspan(1)) job.more.push_back(std::move(task->image));
  return job;
}

Classifier::Given Classifier::answer(Finished& finished, wire::Duration age) {
  const wire::Assign& task = finished.task;
  auto& verdict = std::get<wire::Verdict>(finished.outcome.what);
  if (verdict.reason == wire::Reason::none && verdict.predictions.empty()) {
    counters_.failed += 1;
    return {};  // The broker gives the image to another.
  }
  const bool classified = verdict.reason == wire::Reason::none;
  (classified ? counters_.answered : counters_.rejected) += 1;
  actions_.traces.push_back({.what = classified ? "classified" : "rejected",
                             .batch = task.batch,
                             .slot = task.slot,
                             .age = age,
                             .worker = id()});
  return {wire::Answer{task.batch, task.slot, id(), task.hedge, age, finished.outcome.compute,
                       std::move(verdict), std::move(finished.outcome.version), age - task.age},
          classified};
}

void Classifier::on_new_coordinator() { actions_.log(machine::LogMessage::Level::info, "joined"); }

bool Classifier::on_other(const wire::Message& message) {
  const auto* withdraw = std::get_if<wire::Withdraw>(&message);
  if (!withdraw) return false;
  line_.drop([withdraw](const wire::Assign& task,
                        wire::Instant) { return task.sequence == withdraw->sequence; },
             [this](const wire::Assign& task) {
               counters_.withdrawn += 1;
               membership_.release(task.sequence, task.batch.epoch, actions_);
             });
  return true;
}

std::span<const machine::Figure<Counters>> Classifier::figures() const { return kFigures; }

}  // namespace stages::classifier
