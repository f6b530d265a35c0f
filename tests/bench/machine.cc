// A broker without connections, files and clock: the machine alone, and its peers (crowd.h) in the
// same thread.
//
//     bench_machine WORKERS PRODUCERS OPEN IMAGES
//
// Keeps OPEN images open.  What it writes and reads: crowd_main.h.
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "broker/broker.h"
#include "tests/bench/crowd.h"
#include "tests/bench/crowd_main.h"

namespace {

using namespace std::chrono_literals;

// As scale.py has pipeline.yaml.
broker::Policy policy() {
  broker::Policy policy;
  policy.redundancy = broker::named_redundancy("collage-hedge").value();
  policy.open_request_max = policy.producer_credit = 20'000;
  policy.worker_max = 2000;
  policy.producer_max = 1000;
  policy.deadline = policy.task_age_max = policy.wait_max = policy.heartbeat = 60s;
  policy.hedge_after = 50s;
  policy.labels = bench::kCrowdLabels;
  return policy;
}

class Pipeline {
 public:
  Pipeline(std::size_t workers, std::size_t producers)
      : broker_(policy(), wire::Epoch{77}),
        crowd_(workers, producers, [this](std::size_t peer, wire::Message message) {
          under_way_.emplace_back(peer, std::move(message));
        }) {
    for (std::size_t i = 0; i < crowd_.size(); ++i) {
      crowd_.hello(i);
      while (!under_way_.empty()) step();
    }
    if (crowd_.welcomed() != crowd_.size()) throw std::runtime_error("a peer is not welcome");
  }

  void keep_open(std::size_t count) { crowd_.keep_open(count); }
  void answer(std::uint64_t count) {
    for (const std::uint64_t end = crowd_.answered() + count; crowd_.answered() < end;) step();
  }

 private:
  // The broker takes the oldest message; its peers answer at once.
  void step() {
    if (under_way_.empty()) throw std::runtime_error("nobody has anything to say");
    auto [peer, message] = std::move(under_way_.front());
    under_way_.pop_front();
    const std::uint32_t link = crowd_.is_producer(peer) ? broker::kProducers : broker::kWorkers;
    // Some ten messages an image, at 30,000 images a second.
    now_ = now_ + 3us;
    while (broker_.next_timeout() && *broker_.next_timeout() <= now_) {
      deliver(broker_.on_timeout(now_));
    }
    deliver(broker_.on_message({link, peer}, std::move(message), now_));
  }

  void deliver(const machine::Actions& actions) {
    for (const machine::Outgoing& out : actions.messages) crowd_.take(out.to.id, out.message);
  }

  broker::Broker broker_;
  wire::Instant now_;
  std::deque<std::pair<std::size_t, wire::Message>> under_way_;
  bench::Crowd crowd_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw std::runtime_error("four numbers");
  Pipeline pipeline(std::stoul(argv[1]), std::stoul(argv[2]));
  pipeline.keep_open(std::stoul(argv[3]));
  bench::converse(std::stoul(argv[3]), std::stoull(argv[4]),
                  [&](std::uint64_t count) { pipeline.answer(count); });
} catch (const std::exception& error) {
  std::cerr << "bench_machine: " << error.what() << "\n";
  return 2;
}
