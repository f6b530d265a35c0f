// Producers with weights by the names of their keys, through the machines of a whole pipeline.
#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "replay/sim/fleet.h"

namespace replay::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

FleetPolicy fleet_policy(bool brownout) {
  FleetPolicy fleet;
  broker::Policy& broker = fleet.broker;
  broker.grid = 2;
  broker.redundancy = *broker::named_redundancy("collage");
  broker.brownout = brownout;
  broker.hedge_after = milliseconds(300);
  broker.deadline = seconds(2);
  broker.labels = token_labels();
  broker.weights = {{"producer-1", 3}};
  fleet.sink.joiner = {.open_batch_max = 1024, .orphan_max = 1024, .gate = 0, .classes = kLabels};
  fleet.sink.patience.worker_max = 8;
  fleet.membership = {milliseconds(50), seconds(1)};
  fleet.sink.membership = fleet.membership;
  fleet.producer.deadline = broker.deadline;
  fleet.classifiers = 2;
  fleet.assemblers = brownout ? 1 : 0;
  fleet.producers = 2;
  return fleet;
}

// Two producers submit eight times what two s-CNNs can classify; returns how many images of each
// are answered in ten seconds, once the line that was there before the overload began is gone.
std::map<NodeId, int> answers_under_flood(bool brownout) {
  const FleetPolicy policy = fleet_policy(brownout);
  TokenExecutor::Policy times;
  times.slots = 4;
  times.digits = 4;
  times.single = times.collage = {milliseconds(40), {}};
  TokenExecutor executor(times, machine::Rng(1));
  World world({}, machine::Rng(2));
  Fleet fleet(policy, world, executor, machine::Rng(3));
  fleet.start_all();
  std::uint64_t token = 0;
  std::map<NodeId, int> answered;
  for (int ms = 0; ms < 12'000; ms += 5) {
    world.run_until({milliseconds(ms)});
    for (const NodeId producer : fleet.producers()) {
      producer::Client& client = fleet.client(producer);
      for (const producer::Delivered& each : client.take_results()) {
        if (ms < 2'000) continue;
        answered[producer] += each.result.status == wire::ResultStatus::answered ? 1 : 0;
      }
      ++token;
      (void)client.submit({token}, make_image(token, true), {}, world.now());
      world.rearm(producer);
    }
  }
  return answered;
}

TEST(Weights, SharesUnderAFloodFollowTheWeightsOfKeys) {
  for (const bool brownout : {false, true}) {
    const auto answered = answers_under_flood(brownout);
    ASSERT_EQ(answered.size(), 2u);
    const double light = answered.begin()->second, heavy = answered.rbegin()->second;
    EXPECT_GT(light, 50) << brownout;
    EXPECT_NEAR(heavy / light, 3, 0.3) << brownout;
  }
}

}  // namespace
}  // namespace replay::sim
