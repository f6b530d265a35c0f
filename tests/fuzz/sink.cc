// The sink, fed any messages from its broker and from stages.
//
// Checked besides what Play checks: a slot is settled at most once for each time that its batch was
// opened, with an answer that the broker accepts, and corrected at most once for each settlement
// from a collage.

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
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
    switch (input_.below(13)) {
      case 0:
        return play_.deliver(
            kBroker,
            drawer_.one_of<wire::Welcome, wire::Refuse, wire::WorkerStates, wire::Status>());
      case 10:
        return report();
      case 11:
        return play_batch();
      case 12:
        return play_.advance(drawer_.duration() / 8);
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

  // What a broker tells once a heartbeat.
  void report() {
    static constexpr const char* kFigures[] = {
        "answered_single", "answered_collage", "answered_brownout", "missing",
        "refused",         "batches",          "batches_uncovered"};
    wire::Status status;
    for (const char* name : kFigures) {
      status.counters.push_back({name, figures_[name] += input_.byte() % 4u * 500});
    }
    status.counters.push_back({"overloaded", input_.below(2)});
    play_.deliver(kBroker, status);
    auto states = drawer_.draw<wire::WorkerStates>();
    states.first = 0;
    states.total = static_cast<std::uint32_t>(states.workers.size());
    play_.deliver(kBroker, states);
    (void)machine_.headline(play_.now());
  }

  // A batch of an honest broker, with answers of honest stages, as far as they come.
  void play_batch() {
    const wire::BatchId batch{{1}, {++batch_}};
    const machine::Peer stage{stages::sink::kStages, 1};
    open({batch, 4, 0ms, input_.flag()});
    const std::size_t filled = input_.below(5);
    play_.deliver(kBroker, wire::BatchSealed{batch, {filled, 10ms}, input_.flag()});
    const std::uint8_t answered = input_.byte();
    for (std::size_t slot = 0; slot < filled; ++slot) {
      if (((answered >> slot) & 1) == 0) continue;
      play_.deliver(stage, answer(batch, static_cast<wire::Slot>(slot)));
    }
    if ((answered & 0x10) == 0) return;
    wire::CollageAnswer collage{batch, {1, 9}, 20ms, 5ms, {}, {}};
    collage.cells.assign(4, {{{input_.below(kClasses)}, 0.8F}});
    play_.deliver(stage, collage);
    if ((answered & 0x20) == 0) return;
    play_.advance(600ms);  // Longer than any patience.
    for (std::size_t slot = 0; slot < filled; ++slot) {
      play_.deliver(stage, answer(batch, static_cast<wire::Slot>(slot)));
    }
    if ((answered & 0x40) != 0) play_.deliver(kBroker, wire::BatchSettled{batch});
  }
  wire::Answer answer(wire::BatchId batch, wire::Slot slot) {
    wire::Answer answer;
    answer.batch = batch;
    answer.slot = slot;
    answer.worker = {1, input_.below(4)};
    answer.age = answer.service = drawer_.duration();
    answer.verdict.predictions = {{{input_.below(kClasses)}, 0.9F}};
    answer.version = "v1";
    return answer;
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
  std::map<std::string, std::uint64_t> figures_;
  std::uint64_t batch_ = 0;  // Of play_batch().
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Game(input).run();
  return 0;
}
