// The assembler, fed any messages from its broker and from collage-CNNs.
//
// Checked besides what Play checks: the sequences of collages rise, and each link gets only kinds
// that are its own.

#include <chrono>

#include "stages/collage/assembler.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;
using stages::collage::Assembler;
constexpr machine::Peer kBroker{Assembler::kBroker, 0}, kSink{Assembler::kSink, 0};
constexpr wire::Epoch kOwn{5};

template <class... Kinds>
bool is_one_of(const wire::Message& message) {
  return (std::holds_alternative<Kinds>(message) || ...);
}

bool may_send(const machine::Outgoing& out) {
  using namespace wire;
  switch (out.to.link) {
    case Assembler::kBroker:
      return is_one_of<WorkerHello, Ready>(out.message);
    case Assembler::kCollage:
      return is_one_of<Welcome, Refuse, CollageTask, DropCollage, Redirect>(out.message);
    case Assembler::kSink:
    case Assembler::kSink + 1:
      return is_one_of<Answer, CollagePicture>(out.message);
    default:
      return false;
  }
}

void set_up(fuzz::Play& play, machine::Peer cnn) {
  play.deliver(cnn, wire::WorkerHello{{1, 2}, wire::Role::collage, {7, 2, "v1"}, 2});
  play.deliver(cnn, wire::Ready{});
  play.deliver(kBroker, wire::Welcome{{1}, 100ms, 0, 0, 1s});
}

wire::Assign assign(fuzz::Drawer& drawer) {
  auto task = drawer.draw<wire::Assign>();
  task.slot %= 5;
  task.sink %= 3;
  return task;
}

void play_assembler(fuzz::Input& input) {
  Assembler::Policy policy{.membership = {100ms, 1s}, .heartbeat = 100ms, .sinks = 2};
  if (input.flag()) policy.shown = {.width = 2, .height = 2, .channels = 3, .bytes_max = 100};
  Assembler assembler({{1, 1}, wire::Role::assembler, {7, 2, "v1"}, 2}, kOwn, policy);
  fuzz::Drawer drawer(input, 7, 2);
  fuzz::Play play(assembler, input, drawer);
  wire::Sequence last;
  play.watch([&](const machine::Actions& actions) {
    for (const machine::Outgoing& out : actions.messages) {
      COLLAGE_CHECK(may_send(out));
      if (const auto* task = std::get_if<wire::CollageTask>(&out.message)) {
        COLLAGE_CHECK(last < task->sequence && task->epoch == kOwn && task->blank.size() == 4);
        last = task->sequence;
      }
    }
  });
  if (input.flag()) set_up(play, {Assembler::kCollage, 0});
  while (!input.empty() && !play.finished()) {
    const machine::Peer cnn{Assembler::kCollage, input.below(2)};
    switch (input.below(9)) {
      case 0:
        play.deliver(kBroker, drawer.one_of<wire::Welcome, wire::Refuse>());
        break;
      case 1:
      case 2:
        play.deliver(kBroker, assign(drawer));
        break;
      case 3:
        play.deliver(kBroker,
                     drawer.one_of<wire::SealCollage, wire::DropCollage, wire::Redirect>());
        break;
      case 4:
      case 5:
        play.finish_work();
        break;
      case 6:
        play.deliver(cnn, drawer.one_of<wire::Ready, wire::WorkerHello>());
        break;
      case 7:
        if (input.below(8) == 7) play.deliver(machine::kLocal, wire::Drain{});
        assembler.set_version("v2");
        break;
      default:
        play.step(input.flag() ? (input.flag() ? kBroker : kSink) : cnn);
    }
  }
  (void)assembler.telemetry();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  play_assembler(input);
  return 0;
}
