#include "tests/library/played_broker.h"

#include <chrono>
#include <thread>
#include <utility>

#include "machine/machine.h"
#include "runtime/loop/loop.h"

namespace library_test {

using namespace std::chrono_literals;

namespace {

class Answering : public machine::Machine {
 public:
  explicit Answering(Answers answers) : answers_(std::move(answers)) {}

  machine::Actions on_message(machine::Peer from, wire::Message message, wire::Instant) override {
    machine::Actions actions;
    if (std::holds_alternative<wire::Drain>(message)) {
      actions.finished = true;
      return actions;
    }
    for (wire::Message& answer : answers_(message)) actions.send(from, std::move(answer));
    return actions;
  }
  machine::Actions on_timeout(wire::Instant) override { return {}; }
  machine::Actions on_done(wire::WorkId, machine::Outcome, wire::Instant) override { return {}; }
  std::optional<wire::Instant> next_timeout() const override { return std::nullopt; }

 private:
  Answers answers_;
};

}  // namespace

struct PlayedBroker::Running {
  explicit Running(Answers answers)
      : machine(std::move(answers)),
        loop(context,
             {{.kind = runtime::Link::Kind::router, .bind = true, .endpoint = "tcp://127.0.0.1:0"}},
             machine, {}, {}),
        endpoint(loop.bound_endpoint(0)),
        thread([this] { loop.run(); }) {}
  ~Running() { loop.stop(); }

  Answering machine;
  runtime::Context context;
  runtime::Loop loop;
  const std::string endpoint;
  std::jthread thread;  // Last, so that it has ended before the loop goes.
};

PlayedBroker::PlayedBroker(Answers answers)
    : running_(std::make_unique<Running>(std::move(answers))) {}
PlayedBroker::~PlayedBroker() = default;

const std::string& PlayedBroker::endpoint() const { return running_->endpoint; }

wire::Welcome welcome() {
  return {.epoch = {.value = 7},
          .heartbeat = 500ms,
          .credit = 8,
          .image_bytes_max = 1000,
          .deadline_max = 60s,
          .correction_window = 10s};
}

wire::Result answer(wire::RequestId request) {
  return {.request = request,
          .status = wire::ResultStatus::answered,
          .source = wire::Source::collage,
          .latency = 3ms,
          .predictions = {{"coat", {{.value = 4}, 0.75F}}, {"shirt", {{.value = 6}, 0.25F}}},
          .version = "collage-1"};
}

}  // namespace library_test
