// A collage-CNN stage, fed any messages from its assembler.
//
// Checked besides what Play checks: there are no more answers for a batch than tasks.

#include <chrono>
#include <map>
#include <optional>

#include "stages/collage/collage_worker.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;
using stages::collage::CollageWorker;
constexpr machine::Peer kAssembler = stages::kCoordinator;
constexpr machine::Peer kSink{stages::kSinkLink, 0};

void play_stage(fuzz::Input& input) {
  CollageWorker stage({{1, 1}, wire::Role::collage, {7, 2, "v1"}, 2}, {100ms, 1s}, std::nullopt, 2);
  fuzz::Drawer drawer(input, 7, 2);
  fuzz::Play play(stage, input, drawer);
  std::map<wire::BatchId, int> tasks, answers;
  int redirects = 0;  // After each of them an answer may be sent once more.
  play.watch([&](const machine::Actions& actions) {
    for (const machine::Outgoing& out : actions.messages) {
      if (const auto* answer = std::get_if<wire::CollageAnswer>(&out.message)) {
        COLLAGE_CHECK(out.to.link == kSink.link || out.to.link == kSink.link + 1);
        COLLAGE_CHECK(++answers[answer->batch] <= tasks[answer->batch] * (1 + redirects));
      } else {
        COLLAGE_CHECK(out.to == kAssembler);
        COLLAGE_CHECK(std::holds_alternative<wire::Ready>(out.message) ||
                      std::holds_alternative<wire::WorkerHello>(out.message));
      }
    }
  });
  if (input.flag()) play.deliver(kAssembler, wire::Welcome{{1}, 100ms, 0, 0, 1s});
  while (!input.empty() && !play.finished()) {
    switch (input.below(7)) {
      case 0:
        play.deliver(kAssembler, drawer.one_of<wire::Welcome, wire::Refuse, wire::DropCollage>());
        break;
      case 1:
      case 2: {
        const auto task = drawer.draw<wire::CollageTask>();
        tasks[task.batch] += 1;
        play.deliver(kAssembler, task);
        if (input.below(8) < 7) break;
        redirects += 1;
        play.deliver(kAssembler, drawer.draw<wire::Redirect>());
        break;
      }
      case 3:
        play.finish_work();
        break;
      case 4:
        play.deliver(kAssembler, drawer.draw<wire::DropCollage>());
        break;
      case 5:
        if (input.below(8) == 7) play.deliver(machine::kLocal, wire::Drain{});
        break;
      default: {
        const machine::Peer stranger{2, 0};
        play.step(input.flag() ? stranger : kSink);
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
