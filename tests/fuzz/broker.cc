// The broker, fed any messages from producers, stages and a sink.
//
// Checked besides what Play checks: a request has at most one Result, and exactly one after its
// deadline if no connection of a producer was lost; a Correction follows the Result of a collage,
// once; each link gets only kinds that are its own.

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "broker/broker.h"
#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/play.h"
#include "wire/check.h"

namespace {

using namespace std::chrono_literals;
using broker::kProducers;
using broker::kWorkers;

const std::vector<std::string> kLabels{"cat", "dog",  "eel", "fox", "gnu",
                                       "hen", "ibex", "jay", "koi", "lynx"};

broker::Policy policy_of(fuzz::Input& input) {
  broker::Policy policy;
  const std::vector<std::string>& names = broker::redundancy_names();
  policy.grid = 2;
  policy.redundancy = broker::named_redundancy(names[input.below(names.size())]).value();
  policy.redundancy.ties = input.below(4) == 3 ? 2 : 0;
  policy.brownout = input.flag();
  policy.linger = 40ms;
  policy.hedge_after = 200ms;
  policy.hedge_rate_max = 1;
  policy.suspect_factor = 1.5;
  policy.heartbeat = 500ms;
  policy.deadline = 1s;
  policy.image_bytes_max = 200;
  policy.open_bytes_max = 2000;
  policy.open_request_max = 24;
  policy.producer_max = 3;
  policy.producer_credit = 12;
  policy.worker_max = 4;
  policy.sink_max = 2;
  policy.correction_max = 4;
  policy.retry_after = 30ms;
  policy.drain_max = 500ms;
  policy.weights = {{"ann", 3}};
  policy.labels = kLabels;
  return policy;
}

template <class... Kinds>
bool is_one_of(const wire::Message& message) {
  return (std::holds_alternative<Kinds>(message) || ...);
}

bool may_send(const machine::Outgoing& out) {
  using namespace wire;
  if (is_one_of<Welcome, Refuse, Status>(out.message)) return true;
  if (out.to.link == kProducers) return is_one_of<Result, Correction>(out.message);
  return out.to.link == kWorkers &&
         is_one_of<Assign, Withdraw, Redirect, SealCollage, DropCollage, BatchOpened, BatchSealed,
                   BatchSettled, WorkerStates>(out.message);
}

class Game {
 public:
  explicit Game(fuzz::Input& input)
      : input_(input),
        machine_(policy_of(input), {1}),
        drawer_(input, wire::labels_hash(kLabels), 2),
        play_(machine_, input, drawer_) {
    play_.watch([this](const machine::Actions& actions) { watch(actions); });
  }

  void run() {
    reports_ = input_.below(8) == 7;
    if (input_.flag()) set_up();
    while (!input_.empty() && !play_.finished()) turn();
    if (reports_) (void)machine_.telemetry();
    play_.stall(2s);  // Past every deadline.
    if (lost_) return;
    for (const auto& [request, open] : open_) COLLAGE_CHECK(open == 0);
  }

 private:
  // A pipeline that works: what follows need not find the hellos first.
  void set_up() {
    const std::uint64_t hash = wire::labels_hash(kLabels);
    for (std::uint64_t n = 0; n < 2; ++n) hello({kProducers, n}, {{1, n}, true});
    for (std::uint64_t n = 0; n < 3; ++n) {
      const std::uint8_t grid = n == 2 ? 2 : 0;
      const auto role = n == 2 ? wire::Role::assembler : wire::Role::classifier;
      play_.deliver({kWorkers, n}, wire::WorkerHello{{1, n}, role, {hash, grid, "v1"}, 4});
      play_.deliver({kWorkers, n}, wire::Ready{});
    }
    play_.deliver(kSink, wire::WorkerHello{{1, 9}, wire::Role::sink, {hash, 0, "v1"}, 0});
    if (input_.flag()) {
      play_.deliver({kWorkers, 10},
                    wire::WorkerHello{{1, 10}, wire::Role::sink, {hash, 0, "v1"}, 0, {}, 1});
    }
  }

  void turn() {
    const machine::Peer producer{kProducers, input_.below(4)};
    const machine::Peer worker{kWorkers, input_.below(6)};
    switch (input_.below(18)) {
      case 0:
        return hello(producer);
      case 1:
      case 2:
        return submit(producer, drawer_.draw<wire::Submit>());
      case 3:
        return play_.deliver(producer, drawer_.draw<wire::Cancel>());
      case 4:
        return play_.deliver(worker, drawer_.draw<wire::WorkerHello>());
      case 5:
        return play_.deliver(worker, drawer_.draw<wire::Ready>());
      case 6:
      case 7: {
        auto settled = drawer_.draw<wire::SlotSettled>();
        settled.slot %= 5;
        return play_.deliver(kSink, settled);
      }
      case 8:
        return play_.deliver(kSink, drawer_.one_of<wire::Disagreement, wire::ServiceTimes,
                                                   wire::WorkerHello, wire::Ready>());
      case 9:
        return play_.deliver(producer, input_.flag() ? wire::Message(wire::Authenticated{"ann"})
                                                     : wire::Message(wire::StatusRequest{}));
      case 10:
        if (input_.below(8) == 7) play_.deliver(machine::kLocal, wire::Drain{});
        return;
      case 14:
        return rush();
      case 15:
        return serve(worker);
      case 16:
      case 17:
        return play_.advance(drawer_.duration() / 64);
      case 11:
        if (input_.below(16) != 15) return play_.advance(20ms);
        lost_ = true;  // The step may be an Undelivered, a Submit or a hello.
        unknown_ = true;
        return play_.step(producer);
      default:
        return play_.step(input_.flag() ? worker : kSink);
    }
  }

  // Images at a steady rate, while one stage after another finishes its oldest task.
  void rush() {
    const std::size_t images = input_.below(32);
    const wire::Duration every = drawer_.duration() / 128;
    const std::uint8_t stages = input_.byte();
    const bool favoured = input_.flag();
    const std::uint64_t latest = input_.below(8);
    for (std::size_t i = 0; i < images && !play_.finished(); ++i) {
      submit({kProducers, i % 2}, {{++request_ % 64},
                                   0ms,
                                   wire::Payload({1, 2}),
                                   favoured ? wire::Priority::high : wire::Priority::normal,
                                   latest < 4 ? 0 : latest});
      play_.advance(every);
      if (((stages >> (i % 8)) & 1) != 0) serve({kWorkers, i % 3});
    }
  }
  // A stage finishes its oldest task, and the sink takes its answer.
  void serve(machine::Peer worker) {
    auto& tasks = tasks_[worker];
    if (tasks.empty()) return;
    const wire::Assign task = tasks.front();
    const bool collage = worker.id == 2;  // As in set_up().
    const wire::Source source = collage      ? wire::Source::collage
                                : task.hedge ? wire::Source::hedge
                                             : wire::Source::single;
    const auto slots = static_cast<wire::Slot>(collage ? 4 : 1);
    for (wire::Slot slot = 0; slot < slots; ++slot) {
      wire::SlotSettled settled{task.batch, slot, source, {}, {}};
      if (!collage) settled.slot = task.slot;
      settled.verdict.predictions = {{{input_.below(kLabels.size())}, 0.9F}};
      settled.version = "v1";
      play_.deliver(kSink, settled);
    }
    std::erase_if(tasks, [&](const wire::Assign& one) { return one.sequence == task.sequence; });
    wire::Ready ready{task.sequence, {}};
    for (const wire::Assign& one : tasks) {
      ready.seen = std::max(ready.seen, one.sequence);
      if (ready.held.empty() || ready.held.back() != one.sequence) {
        ready.held.push_back(one.sequence);
      }
    }
    play_.deliver(worker, ready);
    if (!collage || input_.flag()) return;
    wire::Disagreement late{task.batch, task.slot, wire::Source::single, {}, {}};
    late.predictions = {{{input_.below(kLabels.size())}, 0.9F}};
    play_.deliver(kSink, late);
  }

  // Most connections are of one producer, which keeps them.
  void hello(machine::Peer peer) {
    auto drawn = drawer_.draw<wire::ProducerHello>();
    if (drawn.producer.low < 12) drawn.producer = {1, peer.id};
    hello(peer, drawn);
  }
  void hello(machine::Peer peer, const wire::ProducerHello& hello) {
    const auto known = peers_.try_emplace(hello.producer, peer).first;
    const auto spoken = producers_.try_emplace(peer, hello.producer).first;
    lost_ = lost_ || known->second != peer || spoken->second != hello.producer;
    play_.deliver(peer, hello);
  }
  void submit(machine::Peer peer, const wire::Submit& submit) {
    if (!play_.finished()) open_[submit.request] += 1;
    play_.deliver(peer, submit);
  }

  void watch(const machine::Actions& actions) {
    COLLAGE_CHECK(!actions.work);
    for (const machine::Outgoing& out : actions.messages) {
      COLLAGE_CHECK(may_send(out));
      if (const auto* task = std::get_if<wire::Assign>(&out.message)) {
        auto& tasks = tasks_[out.to];
        if (tasks.size() < 64) tasks.push_back(*task);
      }
      if (const auto* result = std::get_if<wire::Result>(&out.message)) {
        COLLAGE_CHECK(--open_[result->request] >= 0 || unknown_);
        correctable_[result->request] += result->source == wire::Source::collage;
      } else if (const auto* correction = std::get_if<wire::Correction>(&out.message)) {
        COLLAGE_CHECK(--correctable_[correction->request] >= 0);
      }
    }
  }

  static constexpr machine::Peer kSink{kWorkers, 9};

  fuzz::Input& input_;
  broker::Broker machine_;
  fuzz::Drawer drawer_;
  fuzz::Play play_;
  std::map<wire::RequestId, int> open_;  // Submits less Results, over all producers.
  std::map<wire::RequestId, int> correctable_;
  std::map<machine::Peer, std::vector<wire::Assign>> tasks_;  // Given and not served.
  std::uint64_t request_ = 0;                                 // Of rush().
  std::map<wire::ProducerId, machine::Peer> peers_;
  std::map<machine::Peer, wire::ProducerId> producers_;
  bool reports_ = false;
  bool lost_ = false;     // Results may have been lost with a producer's connection.
  bool unknown_ = false;  // There may have been Submits that were not counted.
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  Game(input).run();
  return 0;
}
