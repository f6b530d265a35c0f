#include "stages/collage/collage_worker.h"

#include <utility>

namespace stages::collage {
namespace {

constexpr const char* kTasks = "collage_tasks_total";
constexpr const char* kTasksHelp = "Tasks done, by how they ended.";

constexpr machine::Figure<CollageWorkerCounters> kWorkerFigures[] = {
    machine::counter<CollageWorkerCounters>(
        [](const CollageWorkerCounters& c) { return c.answered; }, "", kTasks, kTasksHelp, "result",
        "answered"),
    machine::counter<CollageWorkerCounters>([](const CollageWorkerCounters& c) { return c.failed; },
                                            "", kTasks, kTasksHelp, "result", "failed"),
    machine::counter<CollageWorkerCounters>(
        [](const CollageWorkerCounters& c) { return c.dropped; }, "", kTasks, kTasksHelp, "result",
        "not_wanted"),
};

}  // namespace

decltype(machine::Work::job) CollageWorker::job(std::span<wire::CollageTask* const> tasks) {
  wire::CollageTask& task = *tasks.front();  // A collage is a batch of its own.
  return machine::ClassifyCollage{std::move(task.picture), task.blank};
}

CollageWorker::Given CollageWorker::answer(Finished& finished, wire::Duration age) {
  const wire::CollageTask& task = finished.task;
  auto& cells = std::get<machine::Cells>(finished.outcome.what).cells;
  const bool classified = !cells.empty();
  (classified ? counters_.answered : counters_.failed) += 1;
  actions_.traces.push_back({.what = classified ? "classified" : "failed",
                             .batch = task.batch,
                             .slot = std::nullopt,
                             .age = age,
                             .worker = id()});
  if (!classified) return {};
  return {wire::CollageAnswer{task.batch, id(), age, finished.outcome.compute, std::move(cells),
                              std::move(finished.outcome.version), age - task.age},
          true};
}

bool CollageWorker::on_other(const wire::Message& message) {
  const auto* unneeded = std::get_if<wire::DropCollage>(&message);
  if (!unneeded) return false;
  line_.drop([unneeded](const wire::CollageTask& task,
                        wire::Instant) { return task.batch == unneeded->batch; },
             [this](const wire::CollageTask& task) {
               counters_.dropped += 1;
               membership_.release(task.sequence, task.epoch, actions_);
             });
  return true;
}

std::span<const machine::Figure<CollageWorkerCounters>> CollageWorker::figures() const {
  return kWorkerFigures;
}

}  // namespace stages::collage
