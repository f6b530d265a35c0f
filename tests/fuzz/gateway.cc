// The gateway's machine, fed any messages from its brokers while HTTP clients come and go.
//
// Checked besides what Play checks: each submission that is not withdrawn is answered exactly once,
// with an outcome for each image.

#include <chrono>
#include <map>

#include "gateway/gateway.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;

gateway::Policy small_policy() {
  gateway::Policy policy;
  policy.brokers = {"tcp://a:5570", "tcp://b:5570"};
  policy.deadline = 2s;
  policy.broker_wait = 1s;
  policy.open_request_max = 8;
  policy.open_bytes_max = 1000;
  return policy;
}

class Game {
 public:
  explicit Game(fuzz::Input& input)
      : input_(input),
        machine_(small_policy(), {1, 2}),
        drawer_(input, 7, 2),
        play_(machine_, input, drawer_) {}

  void run() {
    play_.advance(0s);
    if (input_.flag()) play_.deliver({}, wire::Welcome{{1}, 1s, 6, 200, 5s, 2s});
    while (!input_.empty() && !play_.finished()) turn();
    (void)machine_.telemetry();
    for (int i = 0; i < 4; ++i) play_.stall(wire::kDurationMax);  // Past every deadline.
    COLLAGE_CHECK(open_.empty() && machine_.open() == 0);
  }

 private:
  void turn() {
    switch (input_.below(7)) {
      case 0:
        return play_.deliver(broker(), drawer_.one_of<wire::Welcome, wire::Refuse>());
      case 1:
      case 2:
        return submit();
      case 3:
        return play_.deliver(broker(), drawer_.draw<wire::Result>());
      case 4: {
        const gateway::Gateway::Ticket ticket = input_.below(16);
        machine_.withdraw(ticket, play_.now());
        open_.erase(ticket);
        return;
      }
      case 5:
        if (input_.below(8) == 7) play_.deliver(machine::kLocal, wire::Drain{});
        return;
      default:
        return play_.step(broker());
    }
  }

  // Every fourth message is the second broker's.
  machine::Peer broker() { return {.link = messages_++ % 4 == 3 ? 1U : 0U}; }

  void submit() {
    producer::SubmitOptions options;
    options.deadline = drawer_.duration();
    options.latest = input_.below(3);
    std::vector<wire::Payload> images(1 + input_.below(4));
    for (wire::Payload& image : images) image = wire::Payload(wire::Payload::Bytes(input_.byte()));
    const auto ticket = ++last_;
    open_[ticket] = images.size();
    const auto answered = [this, ticket](const std::vector<gateway::Outcome>& outcomes) {
      COLLAGE_CHECK(open_.contains(ticket) && outcomes.size() == open_.at(ticket));
      for (const gateway::Outcome& outcome : outcomes) COLLAGE_CHECK(status_of(outcome) >= 200);
      open_.erase(ticket);
    };
    COLLAGE_CHECK(machine_.submit(std::move(images), options, answered, play_.now()) == ticket);
  }

  fuzz::Input& input_;
  gateway::Gateway machine_;
  fuzz::Drawer drawer_;
  fuzz::Play play_;
  gateway::Gateway::Ticket last_ = 0;
  unsigned messages_ = 0;  // From brokers.
  std::map<gateway::Gateway::Ticket, std::size_t> open_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Game(input).run();
  return 0;
}
