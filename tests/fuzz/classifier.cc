// An s-CNN stage, fed any messages from its broker.
//
// Checked besides what Play checks: there are no more answers for a slot than tasks, and a stage
// whose tasks are all done or dropped holds none.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "stages/classifier/classifier.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;
using stages::classifier::Classifier;
constexpr machine::Peer kBroker = stages::kCoordinator;
constexpr machine::Peer kSink{stages::kSinkLink, 0};

std::optional<stages::Emulation> emulation_of(fuzz::Input& input) {
  static const auto kSeconds = std::make_shared<const std::vector<double>>(3, 0.1);
  const std::vector<stages::LatencySource> sources{
      stages::Pareto{1.5, 0.05}, stages::LogNormal{0.05, 1}, stages::Recorded{kSeconds},
      machine::QuantileTable({{0, 0.01}, {1, 0.2}})};
  const std::size_t source = input.below(sources.size() + 1);
  if (source == sources.size()) return std::nullopt;
  return stages::Emulation(sources[source], machine::Rng(1), {2, 1s, 5s});
}

void play_stage(fuzz::Input& input) {
  Classifier stage({{1, 1}, wire::Role::classifier, {7, 0, "v1"}, 2}, {100ms, 1s},
                   emulation_of(input), 2);
  fuzz::Drawer drawer(input, 7, 2);
  fuzz::Play play(stage, input, drawer);
  std::map<std::pair<wire::BatchId, wire::Slot>, int> tasks, answers;
  int redirects = 0;  // After each of them an answer may be sent once more.
  play.watch([&](const machine::Actions& actions) {
    for (const machine::Outgoing& out : actions.messages) {
      if (const auto* answer = std::get_if<wire::Answer>(&out.message)) {
        const std::pair place(answer->batch, answer->slot);
        COLLAGE_CHECK(out.to.link == kSink.link || out.to.link == kSink.link + 1);
        COLLAGE_CHECK(++answers[place] <= tasks[place] * (1 + redirects));
      } else {
        COLLAGE_CHECK(out.to == kBroker);
        const auto* ready = std::get_if<wire::Ready>(&out.message);
        COLLAGE_CHECK(ready || std::holds_alternative<wire::WorkerHello>(out.message));
        if (ready) COLLAGE_CHECK(ready->held.size() <= 4);
      }
    }
  });
  const auto assign = [&](const wire::Assign& task) {
    tasks[{task.batch, task.slot}] += 1;
    play.deliver(kBroker, task);
  };
  if (input.flag()) play.deliver(kBroker, wire::Welcome{{1}, 100ms, 0, 0, 1s});
  while (!input.empty() && !play.finished()) {
    switch (input.below(8)) {
      case 0:
        play.deliver(kBroker, drawer.one_of<wire::Welcome, wire::Refuse, wire::Withdraw>());
        break;
      case 1:
      case 2:
        assign(drawer.draw<wire::Assign>());
        if (input.below(8) < 7) break;
        redirects += 1;
        play.deliver(kBroker, drawer.draw<wire::Redirect>());
        break;
      case 3:
        play.finish_work();
        break;
      case 4:
        play.deliver(kSink, wire::Undelivered{});
        break;
      case 5:
        play.deliver(kBroker, drawer.draw<wire::Withdraw>());
        break;
      case 6:
        if (input.below(8) == 7) play.deliver(machine::kLocal, wire::Drain{});
        stage.set_version("v2");
        break;
      default: {
        // Of a step that may be an Assign the answers cannot be counted.
        const machine::Peer from{2, 0};
        play.step(input.flag() ? from : kSink);
      }
    }
  }
  (void)stage.telemetry();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  play_stage(input);
  return 0;
}
