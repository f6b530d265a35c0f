#include "replay/sim/failover_trial.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "replay/sim/fleet.h"
#include "replay/sim/token_executor.h"
#include "replay/sim/trial_options.h"
#include "replay/sim/world.h"

namespace replay::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr wire::Duration kHostile = seconds(20);
constexpr int kRequests = 150;  // Few enough that one pipeline can carry all.
constexpr std::uint64_t kStreams = 2;
constexpr std::size_t kStages = 4;

// The seed's pipeline of Trial, but sound, with room, and with a deadline that leaves time for a
// second try.
TrialOptions options_of(std::uint64_t seed) {
  TrialOptions options = without_features(draw_without_overload(seed));
  FleetPolicy& fleet = options.fleet;
  fleet.classifiers = std::max(fleet.classifiers, kStages);
  fleet.link.faulty = fleet.inner_link.faulty = false;
  fleet.latency.reset();
  fleet.broker.deadline = fleet.producer.deadline = seconds(5);
  fleet.broker.open_request_max = fleet.broker.producer_credit = 1000;
  fleet.producer.open_max = 1000;
  fleet.producer.failover_after = milliseconds(800);
  fleet.producer.resubmit_after = seconds(1);
  return options;
}

FleetPolicy first_of(FleetPolicy fleet) {
  for (std::size_t i = 0; i < fleet.producers; ++i) {
    fleet.faulty.insert("producer-" + std::to_string(i));
  }
  return fleet;
}

FleetPolicy second_of(FleetPolicy fleet) {
  fleet.producers = 0;
  return fleet;
}

class FailoverTrial {
 public:
  explicit FailoverTrial(std::uint64_t seed)
      : options_(options_of(seed)),
        rng_(seed ^ 0x6a09e667f3bcc908u),
        log_(0),
        violations_(log_),
        executor_(options_.executor, rng_.split()),
        world_(options_.network, rng_.split()),
        first_(first_of(options_.fleet), world_, executor_, rng_.split()),
        second_(second_of(options_.fleet), world_, executor_, rng_.split()),
        oracle_(options_, world_, violations_) {
    first_.know(second_, options_.fleet.link);
  }

  FailoverReport run() {
    second_.start_all();
    first_.start_all();
    plan_traffic();
    plan_faults();
    world_.set_faults(options_.faults.links);
    const wire::Instant end{kHostile + options_.fleet.broker.deadline + seconds(2)};
    bool ended = false;
    world_.at(end, [&ended] { ended = true; });
    while (!ended && world_.step()) take_results();
    return report();
  }

 private:
  wire::Duration draw(wire::Duration most) {
    const auto count = static_cast<std::uint64_t>(most.count());
    return wire::Duration(static_cast<std::int64_t>(rng_.below(count + 1)));
  }

  void take_results() {
    for (const NodeId producer : first_.producers()) {
      for (const producer::Delivered& one : first_.client(producer).take_results()) {
        oracle_.on_result(producer, one, world_.now());
      }
    }
  }

  // The stages need a moment to join.
  void plan_traffic() {
    for (int i = 0; i < kRequests; ++i) {
      world_.at({seconds(1) + draw(kHostile - seconds(1))}, [this] { submit(); });
    }
  }

  void submit() {
    const NodeId producer = first_.producers()[rng_.below(first_.producers().size())];
    const wire::RequestId id{++last_request_[producer]};
    const std::uint64_t token = ++last_token_;
    std::optional<producer::StreamId> stream;
    if (rng_.chance(0.5)) stream = producer::StreamId{rng_.below(kStreams)};
    const auto queued = first_.client(producer).submit(id, make_image(token, true),
                                                       {.stream = stream}, world_.now());
    if (queued != producer::Client::Submitted::queued) {
      return violations_.add("a request is refused by the client", world_.now());
    }
    oracle_.on_submit(producer, id,
                      {.token = token,
                       .deadline = world_.now() + options_.fleet.broker.deadline,
                       .calm = true,
                       .stream = stream});
    world_.rearm(producer);
  }

  void plan_faults() {
    for (std::uint64_t i = rng_.below(4); i > 0; --i) {
      const wire::Duration length = milliseconds(100) + draw(seconds(5));
      world_.at({draw(kHostile)}, [this, length] {
        if (world_.alive(first_.broker())) world_.stall(first_.broker(), length);
      });
    }
    for (std::uint64_t i = rng_.below(3); i > 0; --i) {
      const wire::Duration down = draw(seconds(4));
      world_.at({draw(kHostile)}, [this, down] {
        if (!world_.alive(first_.broker())) return;
        world_.crash(first_.broker());
        world_.at(world_.now() + down, [this] { first_.start(first_.broker()); });
      });
    }
    for (std::uint64_t i = rng_.below(6); i > 0; --i) {
      const ChannelId channel = first_.channels()[rng_.below(first_.channels().size())];
      world_.at({draw(kHostile)}, [this, channel] { world_.reset(channel); });
    }
  }

  FailoverReport report() {
    oracle_.finish(world_.now());
    for (const std::string& bug : world_.bugs_found()) violations_.add(bug, world_.now());
    FailoverReport report{.counts = oracle_.counts(), .violations = violations_.texts()};
    for (const NodeId producer : first_.producers()) {
      const producer::Counters& counters = first_.client(producer).counters();
      report.failovers += counters.failovers;
      report.moved += counters.moved;
      report.resubmitted += counters.resubmitted;
    }
    return report;
  }

  const TrialOptions options_;
  machine::Rng rng_;
  EventLog log_;
  Violations violations_;
  TokenExecutor executor_;
  World world_;
  Fleet first_, second_;
  RequestOracle oracle_;
  std::map<NodeId, std::uint64_t> last_request_;
  std::uint64_t last_token_ = 0;
};

}  // namespace

FailoverReport run_failover_trial(std::uint64_t seed) { return FailoverTrial(seed).run(); }

}  // namespace replay::sim
