#include "replay/sim/batch_replay.h"

#include <algorithm>
#include <utility>

#include "broker/broker.h"
#include "replay/sim/fleet.h"
#include "wire/check.h"

namespace replay::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr wire::Duration kHeartbeat = seconds(1);
constexpr std::size_t kViolationsMax = 16;
constexpr wire::Duration kBatchMax = seconds(60);  // A batch that takes longer hangs.

FleetPolicy fleet_policy(const BatchOptions& options) {
  const auto redundancy = broker::named_redundancy(options.policy);
  COLLAGE_CHECK(redundancy.has_value());
  const auto slots = static_cast<std::size_t>(options.grid * options.grid);
  FleetPolicy fleet;
  broker::Policy& broker = fleet.broker;
  broker.grid = options.grid;
  broker.linger = milliseconds(5);
  broker.redundancy = *redundancy;
  broker.hedge_after = options.hedge_after;
  broker.hedge_rate_max = options.hedge_rate_max;
  broker.task_age_max = options.deadline;
  broker.heartbeat = kHeartbeat;
  broker.deadline = options.deadline;
  broker.image_bytes_max = 1024;
  broker.open_bytes_max = 1 << 20;
  broker.open_request_max = 4 * slots;
  broker.producer_max = 4;
  broker.producer_credit = 2 * slots;
  broker.worker_max = 2 * slots + 2;
  broker.retry_after = milliseconds(20);
  broker.drain_max = seconds(5);
  broker.labels = token_labels();
  fleet.sink.joiner = {.open_batch_max = 64, .orphan_max = 1024, .gate = 0};
  fleet.sink.patience = options.patience;
  fleet.sink.collage_first = options.policy == "collage-first";
  fleet.membership = {milliseconds(50), seconds(1)};
  fleet.sink.membership = fleet.membership;
  fleet.classifiers = slots * static_cast<std::size_t>(redundancy->copies);
  fleet.assemblers = static_cast<std::size_t>(redundancy->covers);
  fleet.assembler_capacity = 2;
  fleet.link = {options.link, {}, false};
  fleet.table = options.table;
  return fleet;
}

TokenRunner::Policy runner_policy(const BatchOptions& options) {
  TokenRunner::Policy runner;
  runner.slots = static_cast<std::size_t>(options.grid * options.grid);
  runner.single.least = options.single_compute;
  runner.paste.least = options.paste;
  runner.collage.least = options.collage_compute;
  return runner;
}

// Knows from what is said which stages are idle, and counts the work begun.  A stage is idle when
// the broker has heard that it has seen its last task and holds none.
class Watch : public Observer {
 public:
  Watch(World& world, NodeId broker, NodeId producer)
      : broker_(broker), producer_(producer), stages_(world.node_count()) {}

  void on_sent(NodeId, NodeId to, const wire::Message& message, wire::Instant) override {
    if (const auto* assign = std::get_if<wire::Assign>(&message)) {
      Stage& stage = stages_[to];
      stage.last = assign->sequence;
      set_busy(stage, true);
      hedges += assign->hedge ? 1 : 0;
      assigned[to] += 1;
    } else if (std::holds_alternative<wire::CollageAnswer>(message)) {
      collage_inferences += 1;
    }
  }
  void on_delivered(NodeId from, NodeId to, const wire::Message& message, wire::Instant) override {
    if (to == producer_) {
      results += std::holds_alternative<wire::Result>(message) ? 1 : 0;
    } else if (const auto* ready = std::get_if<wire::Ready>(&message); ready && to == broker_) {
      Stage& stage = stages_[from];
      if (stage.last <= ready->seen && ready->held.empty()) set_busy(stage, false);
    }
  }
  void on_life(NodeId, bool, wire::Instant) override {}

  bool idle() const { return busy_ == 0; }

  std::uint64_t results = 0;
  std::uint64_t hedges = 0;
  std::uint64_t collage_inferences = 0;
  std::vector<std::uint64_t> assigned;

 private:
  struct Stage {
    wire::Sequence last;
    bool busy = false;
  };
  void set_busy(Stage& stage, bool busy) {
    if (stage.busy == busy) return;
    stage.busy = busy;
    busy ? ++busy_ : --busy_;
  }
  const NodeId broker_, producer_;
  std::vector<Stage> stages_;
  std::size_t busy_ = 0;
};

class Replay {
 public:
  explicit Replay(const BatchOptions& options)
      : options_(options),
        slots_(static_cast<std::size_t>(options.grid * options.grid)),
        rng_(options.seed),
        runner_(runner_policy(options), rng_.split()),
        world_({}, rng_.split()),
        fleet_(fleet_policy(options), world_, runner_, rng_.split()),
        producer_(fleet_.producers().front()),
        watch_(world_, fleet_.broker(), producer_) {
    watch_.assigned.resize(world_.node_count());
    world_.set_observer(&watch_);
    fleet_.start_all();
  }

  BatchReplay run() {
    world_.run_until({seconds(3)});  // Every stage has joined.
    out_.batch_s.reserve(options_.batches);
    out_.request_s.reserve(options_.batches * slots_);
    for (std::size_t batch = 0; batch < options_.batches && !hangs_; ++batch) one_batch();
    finish();
    return std::move(out_);
  }

 private:
  void violation(std::string what) {
    if (out_.violations.size() < kViolationsMax) out_.violations.push_back(std::move(what));
  }

  void one_batch() {
    const wire::Instant sent = world_.now();
    producer::Client& client = fleet_.client(producer_);
    const std::uint64_t first = next_;
    for (std::size_t i = 0; i < slots_; ++i, ++next_) {
      const auto queued = client.submit({next_}, make_image(next_, true), {}, sent);
      if (queued != producer::Client::Submitted::queued) violation("the client takes no image");
    }
    world_.poke(producer_);
    const std::uint64_t expected = watch_.results + slots_;
    while (watch_.results < expected || !watch_.idle()) {
      if (world_.now() - sent > kBatchMax || !world_.step()) {
        hangs_ = true;
        return violation("a batch hangs");
      }
    }
    collect(client, first);
  }

  void collect(producer::Client& client, std::uint64_t first) {
    wire::Duration last{};
    std::vector<bool> answered(slots_, false);
    for (const producer::Delivered& each : client.take_results()) {
      const std::uint64_t request = each.result.request.value;
      if (request < first || request >= next_ || answered[request - first]) {
        violation("request " + std::to_string(request) + " is answered twice");
        continue;
      }
      answered[request - first] = true;
      count(each);
      last = std::max(last, each.latency);
    }
    if (std::find(answered.begin(), answered.end(), false) != answered.end()) {
      violation("a batch has no answer for a slot");
    }
    out_.batch_s.push_back(wire::to_seconds(last));
  }

  void count(const producer::Delivered& delivered) {
    const wire::Result& result = delivered.result;
    const bool answered = result.status == wire::ResultStatus::answered;
    if (!answered) violation("request " + std::to_string(result.request.value) + " is unanswered");
    if (answered && !spells(result.predictions, result.request.value, 1)) {
      violation("request " + std::to_string(result.request.value) + " got another's answer");
    }
    (!answered                                ? out_.unanswered
     : result.source == wire::Source::collage ? out_.collage
     : result.source == wire::Source::hedge   ? out_.hedge
                                              : out_.single) += 1;
    out_.request_s.push_back(wire::to_seconds(delivered.latency));
    const auto mix = [this](std::uint64_t value) {
      out_.hash = (out_.hash ^ value) * 0x100000001b3u;
      out_.hash ^= out_.hash >> 29;
    };
    mix(static_cast<std::uint64_t>(delivered.latency.count()));
    mix(result.request.value << 8 | static_cast<std::uint64_t>(result.source));
  }

  void finish() {
    out_.hedges = watch_.hedges;
    out_.collage_inferences = watch_.collage_inferences;
    std::uint64_t tasks = 0;
    for (const NodeId node : fleet_.classifiers()) tasks += watch_.assigned[node];
    const std::uint64_t requests = out_.request_s.size();
    out_.duplicates = tasks - std::min(tasks, requests + out_.hedges);
    const double more = static_cast<double>(out_.collage_inferences) * options_.collage_time_ratio +
                        static_cast<double>(out_.hedges + out_.duplicates);
    const double all = static_cast<double>(std::max<std::uint64_t>(requests, 1));
    out_.extra_work = more / all;
    out_.collage_share = static_cast<double>(out_.collage) / all;
    out_.events = world_.events();
    if (runner_.bad_pictures() > 0) violation("an assembler made a bad picture");
    for (const std::string& fault : world_.faults_found()) violation(fault);
  }

  const BatchOptions& options_;
  const std::size_t slots_;
  wire::Rng rng_;
  TokenRunner runner_;
  World world_;
  Fleet fleet_;
  const NodeId producer_;
  Watch watch_;
  BatchReplay out_;
  std::uint64_t next_ = 1;  // The next request, and its token.
  bool hangs_ = false;
};

}  // namespace

BatchReplay replay_batches(const BatchOptions& options) { return Replay(options).run(); }

}  // namespace replay::sim
