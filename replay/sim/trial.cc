#include "replay/sim/trial.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "replay/sim/status_requester.h"
#include "stages/sink/sink.h"

namespace replay::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Not a multiple of any interval of the pipeline, so that status is read at all phases of it.
constexpr wire::Duration kStatusEvery = milliseconds(97);
constexpr int kCalmGroups = 8;
constexpr wire::Duration kCalmEvery = milliseconds(500);
// An upper estimate of the mean service time, so that the calm phase does not overload the fleet.
constexpr wire::Duration kCalmService = milliseconds(100);

class Trial {
 public:
  Trial(const TrialOptions& options, std::size_t log_lines)
      : options_(options),
        rng_(options.seed ^ 0x51ed2701c4a3f9b7u),
        features_(options.seed ^ 0x8b16d4e97a2053fcu),
        surge_(options.seed ^ 0x3f95a6d20c71b84eu),
        log_(log_lines),
        executor_(options.executor, rng_.split()),
        world_(options.network, rng_.split()),
        fleet_(options.fleet, world_, executor_, rng_.split()),
        checker_(options, world_, fleet_, log_) {}

  TrialReport run() {
    const NodeId requester = world_.add("status-requester");
    const LinkPolicy sound{options_.fleet.link.latency, {}, false};
    world_.connect(requester, StatusRequester::kBroker, fleet_.broker(), broker::kProducers, sound);
    const std::vector<NodeId>& sinks = fleet_.sinks();
    for (std::uint32_t i = 0; i < sinks.size(); ++i) {
      world_.connect(requester, StatusRequester::kSink + i, sinks[i], stages::sink::kStages, sound);
    }
    world_.set_observer(&checker_);
    fleet_.start_all();
    world_.start(requester, std::make_unique<StatusRequester>(kStatusEvery, sinks.size()));
    plan_traffic();
    plan_surge();
    plan_faults();
    world_.set_faults(options_.faults.links);
    advance({options_.hostile});
    repair();
    const wire::Instant calm{options_.hostile + options_.recovery()};
    advance(calm);
    checker_.on_calm();
    plan_calm(calm);
    advance(calm + kCalmEvery * kCalmGroups + 2 * options_.fleet.broker.deadline + seconds(2));
    return telemetry();
  }

 private:
  wire::Duration draw(wire::Duration most) {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(most.count(), 0));
    return wire::Duration(static_cast<std::int64_t>(rng_.below(count + 1)));
  }
  template <class List>
  auto any(const List& list) {
    return list[rng_.below(list.size())];
  }

  // Runs until `until` and hands every result to the checker at the instant of its delivery.
  void advance(wire::Instant until) {
    bool ended = false;
    world_.at(until, [&ended] { ended = true; });
    while (!ended && world_.step()) {
      for (const NodeId producer : fleet_.producers()) {
        if (!world_.alive(producer)) continue;
        producer::Client& client = fleet_.client(producer);
        const auto results = client.take_results();
        if (!results.empty()) checker_.on_results(producer, results, world_.now());
        const auto corrections = client.take_corrections();
        if (!corrections.empty()) checker_.on_corrections(producer, corrections, world_.now());
      }
    }
  }

  // --- traffic ---

  void submit(NodeId producer, bool calm) {
    if (!world_.alive(producer)) return;
    producer::Client& client = fleet_.client(producer);
    const bool usable = calm || !rng_.chance(options_.rejectable_share);
    wire::Duration deadline = options_.fleet.broker.deadline;
    wire::Duration own{};
    if (!calm && rng_.chance(options_.own_deadline_share)) {
      own = milliseconds(100) + draw(deadline);
      deadline = std::min(own, deadline);
    }
    const wire::RequestId id{++last_request_[producer]};
    const std::uint64_t token = ++last_token_;
    std::optional<producer::StreamId> stream;
    if (features_.chance(options_.features.stream_share)) {
      stream = producer::StreamId{features_.below(options_.features.streams)};
    }
    const wire::Priority priority = draw_priority();
    const std::uint64_t latest = features_.chance(options_.features.latest_share)
                                     ? 1 + features_.below(options_.features.streams)
                                     : 0;
    const auto queued = client.submit(
        id, make_image(token, usable),
        {.deadline = own, .stream = stream, .priority = priority, .latest = latest}, world_.now());
    if (queued != producer::Client::Submitted::queued) return;
    // Before the first Welcome the client does not know the pipeline's bound on deadlines.
    if (own > wire::Duration{} && client.welcome().deadline_max == wire::Duration{}) deadline = own;
    checker_.on_submit(producer, id,
                       {token, usable, world_.now() + deadline, calm, stream, latest});
    world_.rearm(producer);
    if (!calm && features_.chance(options_.features.cancel_share)) plan_cancel(producer, id, token);
  }

  wire::Priority draw_priority() {
    if (!features_.chance(options_.features.priority_share)) return wire::Priority::normal;
    return features_.chance(0.5) ? wire::Priority::low : wire::Priority::high;
  }

  // Plans half of the cancels for the time in which the first answer is being made, the others for
  // any time before the deadline.
  void plan_cancel(NodeId producer, wire::RequestId id, std::uint64_t token) {
    const wire::Duration most =
        features_.chance(0.5) ? milliseconds(60) : options_.fleet.broker.deadline;
    const auto after =
        static_cast<std::int64_t>(features_.below(static_cast<std::uint64_t>(most.count()) + 1));
    world_.at(world_.now() + wire::Duration(after), [this, producer, id, token] {
      if (!checker_.on_cancel(producer, id, token)) return;
      fleet_.client(producer).cancel(id, world_.now());
      world_.rearm(producer);
    });
  }

  void plan_traffic() {
    for (std::size_t planned = 0; planned < options_.requests;) {
      const std::size_t burst =
          std::min(options_.requests - planned, 1 + rng_.below(options_.burst));
      planned += burst;
      const NodeId producer = any(fleet_.producers());
      world_.at({draw(options_.hostile)}, [this, producer, burst] {
        for (std::size_t i = 0; i < burst; ++i) submit(producer, false);
      });
    }
  }

  void plan_surge() {
    const Surge& surge = options_.surge;
    for (std::size_t i = 0; i < surge.requests; ++i) {
      const auto& producers = fleet_.producers();
      const NodeId producer = surge_.chance(surge.flood)
                                  ? producers.front()
                                  : producers[surge_.below(producers.size())];
      const auto after = static_cast<std::int64_t>(
          surge_.below(static_cast<std::uint64_t>(surge.lasts.count()) + 1));
      world_.at({surge.begins + wire::Duration(after)},
                [this, producer] { submit(producer, false); });
    }
  }

  // Plans groups of up to a whole batch, limited to what the stages can answer in a quarter of a
  // deadline: half of it may have gone to a collage without an answer.
  void plan_calm(wire::Instant from) {
    const auto able = static_cast<std::size_t>(options_.fleet.broker.deadline / 4 / kCalmService) *
                      options_.fleet.classifiers;
    const std::size_t most = std::clamp<std::size_t>(able, 1, options_.executor.slots);
    for (int group = 0; group < kCalmGroups; ++group) {
      const NodeId producer = any(fleet_.producers());
      const std::size_t size = 1 + rng_.below(most);
      world_.at(from + kCalmEvery * group, [this, producer, size] {
        for (std::size_t i = 0; i < size; ++i) submit(producer, true);
      });
    }
  }

  // --- faults ---

  void revive(NodeId node) {
    if (world_.alive(node)) return;
    if (fleet_.kind(node) == Fleet::Kind::producer) last_request_[node] = 0;
    fleet_.start(node);
  }

  void plan_crash(NodeId node) {
    const wire::Duration at = draw(options_.hostile);
    const wire::Duration down = draw(options_.faults.down_max);
    world_.at({at}, [this, node, down] {
      if (!world_.alive(node)) return;
      world_.crash(node);
      world_.at(world_.now() + down, [this, node] { revive(node); });
    });
  }

  void plan_faults() {
    const Faults& faults = options_.faults;
    const auto crashes = [this](int count, const std::vector<NodeId>& nodes) {
      for (int i = 0; i < count && !nodes.empty(); ++i) plan_crash(any(nodes));
    };
    crashes(faults.classifier_crashes, fleet_.classifiers());
    crashes(faults.assembler_crashes, fleet_.assemblers());
    crashes(faults.collage_crashes, fleet_.collages());
    // If only one sink is faulty, it is the last.  The first channels are those of the sinks.
    const std::vector<NodeId> faulty_sinks =
        faults.one_sink ? std::vector{fleet_.sinks().back()} : fleet_.sinks();
    crashes(faults.sink_crashes, faulty_sinks);
    crashes(faults.broker_crashes, {fleet_.broker()});
    crashes(faults.producer_crashes, fleet_.producers());
    std::vector<NodeId> stages = {fleet_.broker()};
    for (const auto* nodes :
         {&fleet_.sinks(), &fleet_.classifiers(), &fleet_.assemblers(), &fleet_.collages()}) {
      stages.insert(stages.end(), nodes->begin(), nodes->end());
    }
    if (faults.one_sink) stages = faulty_sinks;
    for (int i = 0; i < faults.stalls; ++i) {
      const NodeId node = any(stages);
      const wire::Duration length = draw(faults.stall_max);
      world_.at({draw(options_.hostile)}, [this, node, length] {
        log_.line(world_.name(node) + " stalls", world_.now());
        world_.stall(node, length);
      });
    }
    for (int i = 0; i < faults.resets; ++i) {
      const ChannelId channel =
          faults.one_sink ? fleet_.channels()[fleet_.sinks().size() - 1] : any(fleet_.channels());
      world_.at({draw(options_.hostile)}, [this, channel] {
        log_.line("a connection of " + world_.dealer_name(channel) + " breaks", world_.now());
        world_.reset(channel);
      });
    }
  }

  void repair() {
    world_.set_faults({});
    for (NodeId node = 0; node < world_.node_count(); ++node) {
      if (!world_.alive(node)) revive(node);
    }
  }

  TrialReport telemetry() {
    for (const std::string& fault : world_.bugs_found()) checker_.violation(fault, world_.now());
    if (executor_.bad_pictures() > 0) {
      checker_.violation("an assembler made a bad picture", world_.now());
    }
    for (const NodeId producer : fleet_.producers()) {
      const producer::Client& client = fleet_.client(producer);
      if (client.open() + client.correctable() == 0) continue;
      checker_.violation(world_.name(producer) + " has something open at the end", world_.now());
    }
    checker_.finish(world_.now());
    return {options_.seed,     log_.hash(),           world_.events(),
            checker_.counts(), checker_.violations(), log_.text()};
  }

  const TrialOptions& options_;
  machine::Rng rng_;
  // Separate ones, so that traffic and faults depend neither on features nor on a surge.
  machine::Rng features_, surge_;
  EventLog log_;
  TokenExecutor executor_;
  World world_;
  Fleet fleet_;
  Checker checker_;
  std::map<NodeId, std::uint64_t> last_request_;
  std::uint64_t last_token_ = 0;
};

}  // namespace

TrialReport run_trial(const TrialOptions& options, std::size_t log_lines) {
  return Trial(options, log_lines).run();
}

std::string explain(const TrialOptions& options, std::size_t log_lines) {
  const TrialReport report = run_trial(options, log_lines);
  std::ostringstream out;
  out << describe(options);
  for (const std::string& violation : report.violations) out << "VIOLATION " << violation << "\n";
  out << report.log;
  return out.str();
}

}  // namespace replay::sim
