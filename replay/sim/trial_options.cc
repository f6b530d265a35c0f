#include "replay/sim/trial_options.h"

#include <algorithm>
#include <chrono>
#include <sstream>
#include <utility>

#include "broker/policy.h"

namespace replay::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Draws values in a given range, both ends included.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : rng_(seed) {}

  std::uint64_t number(std::uint64_t low, std::uint64_t high) {
    return low + rng_.below(high - low + 1);
  }
  int small(int low, int high) {
    return static_cast<int>(
        number(static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high)));
  }
  wire::Duration time(wire::Duration low, wire::Duration high) {
    const auto spread = static_cast<std::uint64_t>((high - low).count());
    return low + wire::Duration(static_cast<std::int64_t>(rng_.below(spread + 1)));
  }
  bool chance(double p) { return rng_.chance(p); }
  // Often nothing, else up to `most`.
  double rate(double most) { return chance(0.35) ? 0 : most * rng_.uniform(); }
  int count(int most) { return chance(0.35) ? 0 : small(1, most); }

 private:
  machine::Rng rng_;
};

void draw_broker(Draw& draw, TrialOptions& options) {
  broker::Policy& broker = options.fleet.broker;
  const std::vector<std::string>& names = broker::redundancy_names();
  options.policy = names[draw.number(0, names.size() - 1)];
  broker.redundancy = *broker::named_redundancy(options.policy);
  broker.grid = draw.small(wire::kGridSideMin, wire::kGridSideMax);
  broker.linger = draw.time(milliseconds(1), milliseconds(30));
  broker.hedge_after = draw.time(milliseconds(160), milliseconds(300));
  broker.hedge_rate_max = draw.chance(0.5) ? 0.2 : 1;
  broker.heartbeat = draw.time(milliseconds(50), milliseconds(400));
  broker.deadline = draw.time(milliseconds(1500), seconds(4));
  broker.image_bytes_max = 64;
  broker.open_request_max = draw.number(20, 400);
  broker.open_bytes_max = draw.number(400, 4000);
  broker.producer_max = 8;
  broker.producer_credit = draw.number(4, 64);
  broker.worker_max = 64;
  broker.retry_after = milliseconds(20);
  broker.drain_max = seconds(1);
  broker.labels = token_labels();
}

void draw_sink(Draw& draw, TrialOptions& options) {
  auto& sink = options.fleet.sink;
  sink.joiner.open_batch_max = draw.number(32, 512);
  sink.joiner.orphan_max = draw.number(8, 256);
  sink.joiner.gate = draw.chance(0.3) ? 0.5F : 0.0F;
  sink.joiner.classes = options.fleet.broker.labels.size();
  options.fixed_patience = draw.chance(0.6);
  sink.patience.learned = !options.fixed_patience;
  sink.patience.initial = draw.time(milliseconds(40), milliseconds(150));
  sink.patience.min = milliseconds(35);
  sink.patience.max = milliseconds(155);
  sink.patience.worker_max = 64;
  sink.collage_first = options.policy == "collage-first";
  sink.membership = {milliseconds(30), draw.time(milliseconds(200), seconds(1))};
  options.fleet.membership = sink.membership;
}

void draw_fleet(Draw& draw, TrialOptions& options) {
  FleetPolicy& fleet = options.fleet;
  const auto slots = static_cast<std::size_t>(fleet.broker.grid * fleet.broker.grid);
  fleet.classifiers = draw.number(1, slots + 3);
  fleet.assemblers = draw.chance(0.1) ? 0 : draw.number(1, 2);
  fleet.producers = draw.number(1, 4);
  fleet.classifier_capacity = static_cast<std::uint32_t>(draw.number(1, 4));
  fleet.classifier_together = draw.number(1, fleet.classifier_capacity);
  fleet.assembler_capacity = static_cast<std::uint32_t>(draw.number(1, 6));
  // Above what a healthy stage may need for all that it holds.
  fleet.broker.task_age_max =
      fleet.classifier_capacity * milliseconds(900) + draw.time({}, seconds(3));
  fleet.collage_capacity = static_cast<std::uint32_t>(draw.number(1, 2));
  fleet.link = {draw.time({}, milliseconds(3)), draw.time({}, milliseconds(2)), true};
  fleet.inner_link = fleet.link;
  fleet.producer.hello_min = milliseconds(50);
  fleet.producer.hello_max = milliseconds(500);
  fleet.producer.deadline = fleet.broker.deadline;
  if (draw.chance(0.5)) {
    fleet.latency = stages::Independent({{0, 0.005}, {0.9, 0.03}, {0.98, 0.1}, {1, 0.7}});
  }
  if (draw.chance(0.3)) fleet.producer.resubmit_after = milliseconds(400);
  TokenExecutor::Policy& executor = options.executor;
  executor.slots = slots;
  executor.digits = 4;
  executor.single = {draw.time(milliseconds(1), milliseconds(10)), draw.time({}, milliseconds(30))};
  executor.paste = {draw.time({}, microseconds(500)), draw.time({}, milliseconds(1))};
  executor.collage = {draw.time(milliseconds(2), milliseconds(20)),
                      draw.time({}, milliseconds(30))};
  executor.collage_least = draw.chance(0.5) ? 0.3F : 1.0F;
  executor.collage_fails = draw.rate(0.2);
}

void draw_faults(Draw& draw, TrialOptions& options) {
  Faults& faults = options.faults;
  faults.links.loss = draw.rate(0.04);
  faults.links.duplicate = draw.rate(0.04);
  faults.links.delay = draw.rate(0.06);
  faults.links.delay_max = draw.time(milliseconds(1), milliseconds(300));
  faults.classifier_crashes = draw.count(6);
  faults.assembler_crashes = draw.count(2);
  faults.collage_crashes = draw.count(2);
  faults.sink_crashes = draw.count(2);
  faults.broker_crashes = draw.count(2);
  faults.producer_crashes = draw.count(1);
  faults.stalls = draw.count(4);
  faults.resets = draw.count(6);
  faults.down_max = draw.time(milliseconds(50), seconds(2));
  faults.stall_max = draw.time(milliseconds(50), seconds(2));
}

// Drawn apart, so that the seed means the same pipeline, traffic and faults with features or
// without.
void draw_features(Draw draw, TrialOptions& options) {
  FleetPolicy& fleet = options.fleet;
  options.features.cancel_share = draw.rate(0.3);
  options.features.stream_share = draw.rate(1);
  options.features.streams = draw.number(1, 3);
  fleet.correcting = draw.number(0, fleet.producers);
  fleet.broker.correction_window =
      draw.chance(0.15) ? wire::Duration{} : draw.time(milliseconds(50), seconds(2));
  fleet.broker.correction_max = draw.chance(0.3) ? draw.number(1, 8) : 4096;
  fleet.producer.correction_max = draw.chance(0.3) ? draw.number(1, 8) : 1024;
  options.executor.misread = draw.rate(0.5);
  options.features.latest_share = draw.rate(0.8);
  options.features.priority_share = draw.rate(0.8);
}

// About how many images a second the s-CNNs can classify.
double capacity(const TrialOptions& options) {
  const ServiceTime& single = options.executor.single;
  const wire::Duration emulated = options.fleet.latency ? milliseconds(40) : milliseconds(0);
  const wire::Duration mean = std::max(single.least + single.spread, emulated);
  return static_cast<double>(options.fleet.classifiers) / wire::to_seconds(mean);
}

// Drawn apart, as the features are.  A seed in three has no faults, since some promises hold only
// then.
void draw_overload(Draw draw, TrialOptions& options) {
  broker::Policy& broker = options.fleet.broker;
  broker.brownout = draw.chance(0.7);
  broker.wait_max = draw.chance(0.2) ? broker.deadline : draw.time(milliseconds(50), seconds(2));
  if (draw.chance(0.35)) options.faults = {};
  // A collage without an answer may cost an image half of its time, and a straggler much of the
  // rest; yet every image must be answered when all is calm.
  if (options.fleet.latency)
    broker.deadline = std::max<wire::Duration>(broker.deadline, seconds(3));
  options.fleet.producer.deadline = broker.deadline;
  if (!draw.chance(0.6)) return;
  options.fleet.classifiers = std::min<std::size_t>(options.fleet.classifiers, draw.number(1, 6));
  Surge& surge = options.surge;
  surge.lasts = draw.time(milliseconds(200), milliseconds(1500));
  surge.begins = draw.time(milliseconds(300), options.hostile - surge.lasts);
  surge.flood = draw.rate(0.9);
  const double times = 0.5 + static_cast<double>(draw.number(0, 50)) / 10;
  const double requests = times * capacity(options) * wire::to_seconds(surge.lasts);
  surge.requests = static_cast<std::size_t>(std::min(requests, 500.0));
}

// Drawn apart, too.
void draw_weights(Draw draw, TrialOptions& options) {
  if (draw.chance(0.5)) return;
  for (std::size_t i = 0; i < options.fleet.producers; ++i) {
    const auto weight = static_cast<std::uint32_t>(draw.number(1, 4));
    options.fleet.broker.weights["producer-" + std::to_string(i)] = weight;
  }
}

// Drawn apart, too.  Where nothing but a sink is faulty, no answer may be lost with it.
void draw_sinks(Draw draw, TrialOptions& options) {
  if (draw.chance(0.5)) options.fleet.sinks = draw.number(2, 3);
  if (!options.faultless() || draw.chance(0.3)) return;
  Faults& faults = options.faults;
  faults.one_sink = true;
  faults.sink_crashes = draw.small(0, 2);
  faults.stalls = draw.small(0, 2);
  faults.resets = draw.small(0, 3);
  // Outages that the broker has to notice if there is another sink, and deadlines that leave time
  // for it.
  const wire::Duration longest = options.fleet.sinks > 1 ? seconds(8) : seconds(1);
  faults.down_max = draw.time(longest / 5, longest);
  faults.stall_max = draw.time(longest / 5, longest);
  broker::Policy& broker = options.fleet.broker;
  broker.deadline = std::max<wire::Duration>(broker.deadline, seconds(4));
  options.fleet.producer.deadline = broker.deadline;
}

}  // namespace

TrialOptions draw_options(std::uint64_t seed) {
  TrialOptions options = draw_without_overload(seed);
  draw_overload(Draw(seed ^ 0x7d41b9c3e8f02a65u), options);
  draw_weights(Draw(seed ^ 0xe49b02d75a3c816fu), options);
  draw_sinks(Draw(seed ^ 0x5a8e17c34fd902b6u), options);
  return options;
}

TrialOptions draw_without_overload(std::uint64_t seed) {
  Draw draw(seed);
  TrialOptions options;
  options.seed = seed;
  draw_broker(draw, options);
  draw_sink(draw, options);
  draw_fleet(draw, options);
  draw_faults(draw, options);
  options.network.codec = true;
  options.network.unreachable = static_cast<Network::Unreachable>(draw.number(0, 2));
  options.network.notice = draw.chance(0.5) ? wire::Duration{} : draw.time({}, milliseconds(300));
  options.requests = draw.number(200, 400);
  options.burst = draw.number(1, 2 * options.executor.slots);
  options.rejectable_share = draw.rate(0.15);
  options.own_deadline_share = draw.rate(0.3);
  options.hostile = draw.time(seconds(3), seconds(6));
  draw_features(Draw(seed ^ 0x2c7f39be01d5a864u), options);
  return options;
}

TrialOptions without_features(TrialOptions options) {
  options.features = {};
  options.fleet.correcting = 0;
  options.executor.misread = 0;
  return options;
}

bool TrialOptions::faultless() const {
  const LinkFaults& links = faults.links;
  return links.loss == 0 && links.duplicate == 0 && links.delay == 0 &&
         faults.classifier_crashes + faults.assembler_crashes + faults.collage_crashes +
                 faults.sink_crashes + faults.broker_crashes + faults.producer_crashes +
                 faults.stalls + faults.resets ==
             0;
}

wire::Duration TrialOptions::recovery() const {
  const broker::Policy& broker = fleet.broker;
  return broker.deadline + broker.task_age_max + broker.silence_max() + 4 * broker.heartbeat +
         2 * fleet.membership.backoff_max + faults.down_max + faults.stall_max +
         fleet.producer.grace + seconds(1);
}

std::string describe(const TrialOptions& o) {
  const broker::Policy& broker = o.fleet.broker;
  const auto ms = [](wire::Duration d) { return std::to_string(d.count() / 1000) + "us"; };
  static constexpr const char* kUnreachable[] = {"lost", "held", "blocked"};
  std::ostringstream out;
  out << "seed=" << o.seed << " policy=" << o.policy << " grid=" << broker.grid
      << " classifiers=" << o.fleet.classifiers << "x" << o.fleet.classifier_capacity
      << " together=" << o.fleet.classifier_together << " assemblers=" << o.fleet.assemblers << "x"
      << o.fleet.assembler_capacity << " collage_capacity=" << o.fleet.collage_capacity
      << " producers=" << o.fleet.producers << " sinks=" << o.fleet.sinks
      << "\n  linger=" << ms(broker.linger)
      << " patience=" << (o.fixed_patience ? ms(o.fleet.sink.patience.initial) : "learned")
      << " hedge_after=" << ms(broker.hedge_after) << " deadline=" << ms(broker.deadline)
      << " task_age_max=" << ms(broker.task_age_max) << " heartbeat=" << ms(broker.heartbeat)
      << " backoff_max=" << ms(o.fleet.membership.backoff_max)
      << "\n  open_request_max=" << broker.open_request_max
      << " open_bytes_max=" << broker.open_bytes_max << " credit=" << broker.producer_credit
      << " open_batch_max=" << o.fleet.sink.joiner.open_batch_max
      << " orphan_max=" << o.fleet.sink.joiner.orphan_max << " gate=" << o.fleet.sink.joiner.gate
      << " link=" << ms(o.fleet.link.latency) << "+" << ms(o.fleet.link.jitter)
      << " emulated=" << o.fleet.latency.has_value() << " codec=" << o.network.codec
      << " unreachable=" << kUnreachable[static_cast<int>(o.network.unreachable)]
      << " notice=" << ms(o.network.notice) << "\n  loss=" << o.faults.links.loss
      << " duplicate=" << o.faults.links.duplicate << " delay=" << o.faults.links.delay
      << "<=" << ms(o.faults.links.delay_max)
      << " crashes: classifiers=" << o.faults.classifier_crashes
      << " assemblers=" << o.faults.assembler_crashes << " collages=" << o.faults.collage_crashes
      << " sink=" << o.faults.sink_crashes << (o.faults.one_sink ? " (the last)" : "")
      << " broker=" << o.faults.broker_crashes << " producers=" << o.faults.producer_crashes
      << " down<=" << ms(o.faults.down_max) << " stalls=" << o.faults.stalls
      << "<=" << ms(o.faults.stall_max) << " resets=" << o.faults.resets
      << "\n  requests=" << o.requests << " burst=" << o.burst
      << " rejectable=" << o.rejectable_share << " own_deadline=" << o.own_deadline_share
      << " resubmit_after=" << ms(o.fleet.producer.resubmit_after) << " hostile=" << ms(o.hostile)
      << "\n  cancelled=" << o.features.cancel_share << " in_order=" << o.features.stream_share
      << "/" << o.features.streams << " latest=" << o.features.latest_share
      << " priorities=" << o.features.priority_share << " misread=" << o.executor.misread
      << " correcting=" << o.fleet.correcting
      << " correction_window=" << ms(broker.correction_window)
      << " correction_max=" << broker.correction_max << ":" << o.fleet.producer.correction_max
      << "\n  brownout=" << broker.brownout << " wait_max=" << ms(broker.wait_max)
      << " surge=" << o.surge.requests << " at " << ms(o.surge.begins) << " for "
      << ms(o.surge.lasts) << " flood=" << o.surge.flood << " weights=";
  for (const auto& [name, weight] : broker.weights) out << weight << ":";
  out << "\n";
  return out.str();
}

}  // namespace replay::sim
