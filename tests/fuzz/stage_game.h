// A stage that works on one task at a time (stages/task_stage.h), fed any messages from its
// coordinator.
//
// Checked besides what Play checks: there are no more answers to a place than tasks for it, but one
// more for each Redirect; all else goes to the coordinator; and the stage reports at most twice as
// many tasks as it takes.
#pragma once

#include <map>
#include <utility>
#include <variant>

#include "stages/task_stage.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace fuzz {

inline constexpr std::size_t kCapacity = 2, kSinks = 2;

// Where an answer belongs: the answer to a collage is for the whole batch.
using Place = std::pair<wire::BatchId, wire::Slot>;
inline Place place_of(const wire::Assign& task) { return {task.batch, task.slot}; }
inline Place place_of(const wire::Answer& answer) { return {answer.batch, answer.slot}; }
inline Place place_of(const wire::CollageTask& task) { return {task.batch, 0}; }
inline Place place_of(const wire::CollageAnswer& answer) { return {answer.batch, 0}; }

// `Unneeded` is the message by which the coordinator takes a task back.  The stage has a capacity
// of kCapacity and links to kSinks sinks.
template <class Stage, class Task, class Answer, class Unneeded>
class StageGame {
 public:
  StageGame(Stage& stage, Input& input)
      : stage_(stage), input_(input), drawer_(input, 7, 2), play_(stage, input, drawer_) {
    play_.watch([this](const machine::Actions& actions) { watch(actions); });
  }

  void run() {
    using namespace std::chrono_literals;
    if (input_.flag()) play_.deliver(kCoordinator, wire::Welcome{{1}, 100ms, 0, 0, 1s});
    while (!input_.empty() && !play_.finished()) turn();
    (void)stage_.telemetry();
  }

 private:
  static constexpr machine::Peer kCoordinator = stages::kCoordinator;
  static constexpr machine::Peer kSink{stages::kSinkLink, 0};

  void turn() {
    switch (input_.below(8)) {
      case 0:
        return play_.deliver(kCoordinator, drawer_.one_of<wire::Welcome, wire::Refuse, Unneeded>());
      case 1:
      case 2:
        return give(drawer_.draw<Task>());
      case 3:
        return play_.finish_work();
      case 4:
        return play_.deliver(kSink, wire::Undelivered{});
      case 5:
        return play_.deliver(kCoordinator, drawer_.draw<Unneeded>());
      case 6:
        if (input_.below(8) == 7) play_.deliver(machine::kLocal, wire::Drain{});
        return stage_.set_model("v2", "fused");
      default:
        // Not from the coordinator: of a step that may be a task the answers cannot be counted.
        return play_.step(input_.flag() ? machine::Peer{2, 0} : kSink);
    }
  }

  void give(Task task) {
    // Now and then one that the stage has no link to.
    task.sink = static_cast<wire::SinkIndex>(task.sink % (kSinks + 1));
    tasks_[place_of(task)] += 1;
    play_.deliver(kCoordinator, task);
    if (input_.below(8) < 7) return;
    redirects_ += 1;
    play_.deliver(kCoordinator, drawer_.draw<wire::Redirect>());
  }

  void watch(const machine::Actions& actions) {
    for (const machine::Outgoing& out : actions.messages) {
      if (const auto* answer = std::get_if<Answer>(&out.message)) {
        const Place place = place_of(*answer);
        COLLAGE_CHECK(out.to.link >= kSink.link && out.to.link < kSink.link + kSinks);
        COLLAGE_CHECK(++answers_[place] <= tasks_[place] * (1 + redirects_));
        continue;
      }
      COLLAGE_CHECK(out.to == kCoordinator);
      const auto* ready = std::get_if<wire::Ready>(&out.message);
      COLLAGE_CHECK(ready || std::holds_alternative<wire::WorkerHello>(out.message));
      if (ready) COLLAGE_CHECK(ready->held.size() <= 2 * kCapacity);
    }
  }

  Stage& stage_;
  Input& input_;
  Drawer drawer_;
  Play play_;
  std::map<Place, int> tasks_, answers_;
  int redirects_ = 0;
};

}  // namespace fuzz
