// The producer's client, fed any messages from its brokers while its owner submits and cancels.
//
// Checked besides what Play checks: each request that was taken is delivered exactly once, by its
// deadline and grace at the latest; those of one stream in the order of submission; corrections
// follow, at most one each.

#include <chrono>
#include <map>
#include <optional>

#include "producer/client.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;
using producer::Client;
constexpr std::uint32_t kBrokers = 3;

producer::Policy policy_of(fuzz::Input& input) {
  producer::Policy policy;
  policy.producer = {1, 2};
  policy.deadline = 2s;
  policy.open_max = 8;
  policy.open_bytes_max = 1000;
  policy.hello_max = 700ms;
  policy.retry_refused = input.flag();
  policy.retry_draining = input.flag();
  policy.resubmit_after = input.flag() ? 300ms : 0ms;
  policy.corrections = input.flag();
  policy.correction_max = 3;
  policy.brokers = kBrokers;
  if (input.flag()) policy.brokers = 1;
  return policy;
}

class Game {
 public:
  explicit Game(fuzz::Input& input)
      : input_(input),
        machine_(policy_of(input)),
        drawer_(input, 7, 2),
        play_(machine_, input, drawer_) {
    play_.watch(&watch);
  }

  void run() {
    if (input_.flag()) play_.deliver({}, wire::Welcome{{1}, 1s, 6, 200, 5s, 2s});
    while (!input_.empty() && !play_.finished()) turn();
    for (int i = 0; i < 4; ++i) play_.stall(wire::kDurationMax);  // Past every deadline.
    hand_out();
    for (const auto& [id, request] : requests_) COLLAGE_CHECK(request.delivered);
    COLLAGE_CHECK(machine_.open() == 0);
  }

 private:
  struct Request {
    std::optional<producer::StreamId> stream;
    bool delivered = false;
    bool corrected = false;
  };

  void turn() {
    // Beyond the last there is none.
    const machine::Peer broker{static_cast<std::uint32_t>(input_.below(kBrokers + 1)), 0};
    switch (input_.below(8)) {
      case 0:
        play_.deliver(broker, drawer_.one_of<wire::Welcome, wire::Refuse>());
        break;
      case 1:
      case 2:
        submit();
        break;
      case 3:
        play_.deliver(broker, drawer_.draw<wire::Result>());
        break;
      case 4:
        play_.deliver(broker, drawer_.draw<wire::Correction>());
        break;
      case 5:
        (void)machine_.cancel({input_.below(16)}, play_.now());
        break;
      case 6:
        if (input_.below(8) == 7) play_.deliver(machine::kLocal, wire::Drain{});
        hand_out();
        break;
      default:
        play_.step(broker);
    }
  }

  void submit() {
    producer::SubmitOptions options;
    options.deadline = drawer_.duration();
    if (input_.flag()) options.stream = producer::StreamId{input_.below(3)};
    options.latest = input_.below(3);
    options.priority = static_cast<wire::Priority>(input_.below(3));
    const wire::RequestId id{last_ + 1};
    wire::Payload image(wire::Payload::Bytes(input_.byte()));
    if (machine_.submit(id, std::move(image), options, play_.now()) != Client::Submitted::queued) {
      return;
    }
    last_ += 1;
    requests_[id].stream = options.stream;
    COLLAGE_CHECK(machine_.window() <= 8);
  }

  void hand_out() {
    for (const producer::Delivered& one : machine_.take_results()) {
      Request& request = requests_.at(one.result.request);
      COLLAGE_CHECK(!std::exchange(request.delivered, true));
      if (!request.stream) continue;
      wire::RequestId& before = delivered_[*request.stream];
      COLLAGE_CHECK(before < one.result.request);
      before = one.result.request;
    }
    for (const producer::Correction& one : machine_.take_corrections()) {
      Request& request = requests_.at(one.correction.request);
      COLLAGE_CHECK(request.delivered && !std::exchange(request.corrected, true));
    }
  }

  static void watch(const machine::Actions& actions) {
    COLLAGE_CHECK(!actions.work);
    for (const machine::Outgoing& out : actions.messages) {
      COLLAGE_CHECK(out.to.link < kBrokers && out.to.id == 0);
      COLLAGE_CHECK(std::holds_alternative<wire::ProducerHello>(out.message) ||
                    std::holds_alternative<wire::Submit>(out.message) ||
                    std::holds_alternative<wire::Cancel>(out.message));
    }
  }

  fuzz::Input& input_;
  Client machine_;
  fuzz::Drawer drawer_;
  fuzz::Play play_;
  std::uint64_t last_ = 0;
  std::map<wire::RequestId, Request> requests_;
  std::map<producer::StreamId, wire::RequestId> delivered_;  // The last of each stream.
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Game(input).run();
  return 0;
}
