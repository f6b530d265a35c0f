#include "replay/sim/experiment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "runtime/pipeline/quantiles.h"

namespace replay::sim {
namespace {

using load::Arrivals;
using load::Fault;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

ExperimentOptions options(const std::string& policy, std::size_t batches, int grid = 3) {
  const auto slots = static_cast<std::size_t>(grid * grid);
  ExperimentOptions options;
  broker::Policy& broker = options.fleet.broker;
  broker.redundancy = *broker::named_redundancy(policy);
  broker.grid = grid;
  broker.linger = milliseconds(5);
  broker.hedge_after = milliseconds(400);
  broker.task_age_max = seconds(5);
  broker.heartbeat = seconds(1);
  broker.deadline = seconds(5);
  broker.image_bytes_max = 1024;
  broker.open_bytes_max = 1 << 20;
  broker.open_request_max = 100 * slots;
  broker.producer_max = 4;
  broker.producer_credit = 100 * slots;
  broker.worker_max = 2 * slots + 2;
  broker.retry_after = milliseconds(20);
  broker.drain_max = seconds(5);
  options.fleet.sink.joiner = {.open_batch_max = 1024, .orphan_max = 1024, .gate = 0, .classes = 1};
  options.fleet.sink.patience = {.initial = milliseconds(250),
                                 .min = milliseconds(25),
                                 .max = seconds(2),
                                 .worker_max = 64,
                                 .budget_share = 1.0 / static_cast<double>(slots)};
  options.fleet.membership = {milliseconds(50), seconds(1)};
  options.fleet.sink.membership = options.fleet.membership;
  options.fleet.classifiers = slots * static_cast<std::size_t>(broker.redundancy.singles_per_image);
  options.fleet.assemblers = static_cast<std::size_t>(broker.redundancy.collages_per_batch);
  options.fleet.assembler_capacity = 4;
  options.fleet.latency = stages::Independent(runtime::load_quantiles(COLLAGE_QUANTILES));
  options.generator.slots = slots;
  options.generator.images = batches * slots;
  options.generator.classifiers = options.fleet.classifiers;
  options.generator.assemblers = options.fleet.assemblers;
  options.generator.phase_max = seconds(60);
  options.generator.probe_every = milliseconds(20);
  return options;
}

struct Ran : Experiment {
  std::vector<double> batch_s;
  std::vector<load::Answer> answers;
  std::uint64_t classifiers_min = ~std::uint64_t{0};  // That the broker told of.

  std::size_t with(wire::ResultStatus status) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        answers, [&](const load::Answer& answer) { return answer.result.status == status; }));
  }

  std::size_t with_source(wire::Source source) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        answers, [&](const load::Answer& answer) { return answer.result.source == source; }));
  }
};

Ran run(const ExperimentOptions& options) {
  Ran ran;
  load::LoadGenerator::Listener listener;
  listener.on_answer = [&](const load::Answer& answer) { ran.answers.push_back(answer); };
  listener.on_batch = [&](std::size_t, wire::Instant, wire::Duration latency) {
    ran.batch_s.push_back(wire::to_seconds(latency));
  };
  listener.on_health = [&](wire::Instant, const load::Counters& broker) {
    ran.classifiers_min = std::min(ran.classifiers_min, broker.value("classifiers"));
  };
  static_cast<Experiment&>(ran) = run_experiment(options, listener);
  return ran;
}

std::string first(const Ran& ran) { return ran.violations.empty() ? "" : ran.violations.front(); }

double quantile(std::vector<double> values, double p) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1))];
}

TEST(Experiment, EveryPolicyComesNearWhatAnIdealPipelineGets) {
  struct Ideal {
    double extra, p50, p95, p99;
  };
  // Of 200,000 batches, in seconds; see replay/quantiles/cloud-latency-2019.csv for the table.
  const std::map<std::string, Ideal> ideals = {{"none", {0, 0.199, 0.721, 0.766}},
                                               {"hedge", {0.05, 0.199, 0.377, 0.427}},
                                               {"hedge-budget", {0.11, 0.199, 0.349, 0.399}},
                                               {"duplicate", {1, 0.162, 0.199, 0.238}},
                                               {"collage", {0.111, 0.199, 0.215, 0.233}},
                                               {"collage-hedge", {0.111, 0.199, 0.215, 0.233}},
                                               {"collage-two", {0.222, 0.196, 0.215, 0.215}}};
  for (const auto& [policy, ideal] : ideals) {
    const Ran ran = run(options(policy, 5000));
    EXPECT_EQ(first(ran), "") << policy;
    EXPECT_EQ(ran.answers.size(), 45'000u) << policy;
    EXPECT_NEAR(ran.work.extra(1), ideal.extra, 0.01) << policy;
    EXPECT_NEAR(quantile(ran.batch_s, 0.50), ideal.p50, 0.05 * ideal.p50) << policy;
    EXPECT_NEAR(quantile(ran.batch_s, 0.95), ideal.p95, 0.06 * ideal.p95) << policy;
    EXPECT_NEAR(quantile(ran.batch_s, 0.99), ideal.p99, 0.10 * ideal.p99) << policy;
  }
}

// The sink that stops has what is in flight, and the other joins it after three heartbeats.
TEST(Experiment, ASinkThatStopsOrDiesCostsNoAnswerWhileThereIsAnother) {
  for (const char* policy : {"none", "collage-hedge"}) {
    for (const Fault::What what : {Fault::What::stop, Fault::What::kill}) {
      ExperimentOptions two = options(policy, 300);
      two.fleet.sinks = 2;
      two.fleet.broker.heartbeat = milliseconds(500);
      two.faults = {{.what = what, .node = "sink-1", .after = seconds(5), .length = seconds(8)}};
      const Ran ran = run(two);
      EXPECT_EQ(first(ran), "") << policy;
      EXPECT_EQ(ran.with(wire::ResultStatus::answered), 2700u) << policy;
    }
  }
}

TEST(Experiment, TheSameOptionsGiveTheSameResultToTheBit) {
  const Ran once = run(options("collage-hedge", 300));
  const Ran again = run(options("collage-hedge", 300));
  EXPECT_EQ(once.hash, again.hash);
  EXPECT_EQ(once.batch_s, again.batch_s);
  ExperimentOptions other = options("collage-hedge", 300);
  other.seed = 2;
  EXPECT_NE(run(other).hash, once.hash);
}

TEST(Experiment, EveryGridIsReplayed) {
  for (int grid = wire::kGridSideMin; grid <= wire::kGridSideMax; ++grid) {
    const Ran ran = run(options("collage", 200, grid));
    EXPECT_EQ(first(ran), "") << grid;
    EXPECT_NEAR(ran.work.extra(1), 1.0 / (grid * grid), 1e-3);
  }
}

TEST(Experiment, MeasuredComputeAndLinksAddToTheLatency) {
  ExperimentOptions slow = options("collage", 500);
  slow.fleet.latency.reset();
  slow.costs.single = milliseconds(8);
  slow.costs.collage = milliseconds(12);
  slow.costs.link = microseconds(500);
  const Ran ran = run(slow);
  EXPECT_EQ(first(ran), "");
  // Producer, broker, s-CNN, sink, broker, producer.
  EXPECT_DOUBLE_EQ(quantile(ran.batch_s, 0.5), 0.008 + 5 * 0.0005);
}

TEST(Experiment, ABusyFleetStartsTheNextBatchWhileAStageIsStillSlow) {
  ExperimentOptions busy = options("collage", 2000);
  const double idle_s = run(busy).seconds;
  busy.generator.arrivals.kind = Arrivals::Kind::busy_batches;
  const Ran ran = run(busy);
  EXPECT_EQ(first(ran), "");
  EXPECT_LT(ran.seconds, 0.9 * idle_s);
}

TEST(Experiment, AnOpenLoopThatIsTooFastIsRefusedAndNothingIsLost) {
  ExperimentOptions flood = options("collage", 400);
  flood.generator.arrivals = {.kind = Arrivals::Kind::poisson,
                              .per_second = 300};  // 60 is possible.
  flood.fleet.broker.open_request_max = 50;
  const Ran ran = run(flood);
  EXPECT_EQ(first(ran), "");
  EXPECT_EQ(ran.answers.size(), 3600u);
  EXPECT_GT(ran.with(wire::ResultStatus::answered), 500u);
  EXPECT_GT(ran.with(wire::ResultStatus::refused) + ran.with(wire::ResultStatus::missing), 1000u);
}

TEST(Experiment, AWorkerThatIsKilledCostsNoAnswer) {
  ExperimentOptions killed = options("collage", 300);
  killed.faults = {{.what = Fault::What::kill, .node = "classifier-3", .after = seconds(5)}};
  const Ran ran = run(killed);
  EXPECT_EQ(first(ran), "");
  EXPECT_EQ(ran.with(wire::ResultStatus::answered), 2700u);
  EXPECT_EQ(ran.classifiers_min, 8u);  // It was killed.
}

TEST(Experiment, AWorkerThatAnswersGarbageIsNeverBelieved) {
  ExperimentOptions garbled = options("collage-hedge", 300);
  const std::size_t sound = run(garbled).with_source(wire::Source::single);
  garbled.faults = {{.what = Fault::What::garbage,
                     .node = "classifier-3",
                     .after = seconds(5),
                     .length = seconds(30)}};
  const Ran ran = run(garbled);
  EXPECT_EQ(first(ran), "");                                     // No wrong answer among them.
  EXPECT_EQ(ran.with(wire::ResultStatus::answered), 2700u);      // Another answered for it.
  EXPECT_LT(ran.with_source(wire::Source::single), sound - 50);  // Its answers were lost.
}

// Not even without redundancy: an image whose answer is lost or invalid is given out again.
TEST(Experiment, AnswersThatAreLostOrInvalidCostNoAnswerUnderAnyPolicy) {
  for (const char* policy : {"none", "collage", "hedge", "collage-hedge"}) {
    ExperimentOptions bad = options(policy, 300);
    bad.fleet.broker.task_age_max = seconds(3);  // A task may be lost, too.
    bad.faults = {{.what = Fault::What::garbage, .node = "classifier-1"},
                  {.what = Fault::What::link, .node = "classifier-5", .loss = 0.2}};
    const Ran ran = run(bad);
    EXPECT_EQ(first(ran), "") << policy;
    EXPECT_EQ(ran.with(wire::ResultStatus::answered), 2700u) << policy;
  }
}

TEST(Experiment, TheCollageStandsInForAStageThatIsAlwaysSlow) {
  ExperimentOptions slow = options("collage", 2000);
  const double sound_s = quantile(run(slow).batch_s, 0.95);
  slow.fleet.spells["classifier-3"] = {.factor = 4};
  const Ran ran = run(slow);
  EXPECT_EQ(first(ran), "");
  EXPECT_LT(quantile(ran.batch_s, 0.95), 1.25 * sound_s);
  EXPECT_GT(ran.with_source(wire::Source::collage), 1800u);
}

}  // namespace
}  // namespace replay::sim
