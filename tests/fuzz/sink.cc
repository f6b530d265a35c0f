// The sink, fed any messages from its broker and from stages.
//
// Checked besides what Play checks: a slot is settled at most once for each time that its batch was
// opened, with an answer that the broker accepts, and corrected at most once for each settlement
// from a collage.

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "stages/sink/sink.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;
using stages::sink::Sink;
constexpr machine::Peer kBroker = stages::kCoordinator;
constexpr std::uint64_t kClasses = 10;

Sink::Policy policy_of(fuzz::Input& input) {
  Sink::Policy policy;
  policy.joiner = {.open_batch_max = 4, .orphan_max = 4, .gate = 0.2F, .classes = kClasses};
  policy.patience = {.learned = input.flag(),
                     .initial = 100ms,
                     .min = 10ms,
                     .max = 500ms,
                     .window = 4,
                     .sample_min = 2,
                     .worker_max = 3};
  policy.collage_first = input.below(4) == 3;
  policy.show_pictures = input.flag();
  policy.worker_max = 8;
  policy.membership = {100ms, 1s};
  return policy;
}

class Game {
 public:
  explicit Game(fuzz::Input& input)
      : input_(input),
        machine_({1, 1}, policy_of(input)),
        drawer_(input, 7, 2),
        play_(machine_, input, drawer_) {
    play_.watch([this](const machine::Actions& actions) { watch(actions); });
  }

  void run() {
    if (input_.flag()) play_.deliver(kBroker, wire::Welcome{{1}, 100ms, 0, 0, 1s, 2s});
    while (!input_.empty() && !play_.finished()) turn();
    (void)machine_.telemetry();
    (void)machine_.headline(play_.now());
  }

 private:
  void turn() {
    const machine::Peer stage{stages::sink::kStages, input_.below(4)};
    switch (input_.below(10)) {
      case 0:
        return play_.deliver(
            kBroker,
            drawer_.one_of<wire::Welcome, wire::Refuse, wire::WorkerStates, wire::Status>());
      case 1:
        return open(drawer_.draw<wire::BatchOpened>());
      case 2:
        return play_.deliver(kBroker, drawer_.draw<wire::BatchSealed>());
      case 3:
        return play_.deliver(kBroker, drawer_.draw<wire::BatchSettled>());
      case 4:
      case 5: {
        auto answer = drawer_.draw<wire::Answer>();
        answer.slot %= 5;
        return play_.deliver(stage, answer);
      }
      case 6:
        return play_.deliver(stage, drawer_.draw<wire::CollageAnswer>());
      case 7:
        return play_.deliver(stage, drawer_.one_of<wire::CollagePicture, wire::StatusRequest>());
      case 8:
        if (input_.below(8) == 7) play_.deliver(machine::kLocal, wire::Drain{});
        return;
      default:
        return play_.step(input_.flag() ? stage : machine::Peer{2, 0});
    }
  }

  void open(wire::BatchOpened opened) {
    if (input_.flag()) opened.slots = 4;
    if (play_.finished()) return;
    opened_[opened.batch] += 1;
    play_.deliver(kBroker, opened);
  }

  void watch(const machine::Actions& actions) {
    COLLAGE_CHECK(!actions.work);
    for (const machine::Outgoing& out : actions.messages) {
      if (out.to.link != kBroker.link) {
        COLLAGE_CHECK(std::holds_alternative<wire::Status>(out.message) ||
                      std::holds_alternative<wire::Refuse>(out.message));
      } else if (const auto* settled = std::get_if<wire::SlotSettled>(&out.message)) {
        on_settled(*settled);
      } else if (const auto* late = std::get_if<wire::Disagreement>(&out.message)) {
        int& left = correctable_[{late->batch, late->slot}];
        COLLAGE_CHECK(--left >= 0);
      }
    }
  }
  void on_settled(const wire::SlotSettled& settled) {
    const Place place{settled.batch, settled.slot};
    COLLAGE_CHECK(++settled_[place] <= opened_[settled.batch]);
    if (settled.verdict.reason == wire::Reason::none) {
      COLLAGE_CHECK(!settled.verdict.predictions.empty());
      for (const wire::Prediction& one : settled.verdict.predictions) {
        COLLAGE_CHECK(one.label.value < kClasses);
      }
    }
    correctable_[place] += settled.source == wire::Source::collage;
  }

  using Place = std::pair<wire::BatchId, wire::Slot>;

  fuzz::Input& input_;
  Sink machine_;
  fuzz::Drawer drawer_;
  fuzz::Play play_;
  std::map<wire::BatchId, int> opened_;
  std::map<Place, int> settled_, correctable_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Game(input).run();
  return 0;
}
