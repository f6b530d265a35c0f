// The sink's page against the broker: what the page shows of a whole pipeline in virtual time is
// what the broker knows, when it is idle, busy, has a slow or a dead stage, or is overloaded.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "broker/broker.h"
#include "machine/trace.h"
#include "replay/sim/fleet.h"
#include "stages/sink/dashboard.h"
#include "tests/figure.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using testing::HasSubstr;

constexpr std::size_t kClassifiers = 4;

FleetPolicy small_fleet() {
  FleetPolicy fleet;
  fleet.broker.grid = 2;
  fleet.broker.redundancy = *broker::named_redundancy("collage-hedge");
  fleet.broker.labels = token_labels();
  fleet.broker.producer_credit = 4096;
  fleet.sink.joiner.classes = kLabels;
  fleet.sink.patience.worker_max = 16;
  fleet.membership = fleet.sink.membership = {50ms, 1s};
  fleet.producer.producer = {1, 1};
  fleet.producer.open_max = 4096;
  fleet.producer.retry_refused = false;  // So that nothing changes once the images stop.
  fleet.classifiers = kClassifiers;
  fleet.assemblers = 1;
  fleet.assembler_capacity = 4;
  fleet.link.latency = fleet.inner_link.latency = 100us;
  fleet.latency = stages::LogNormal{.median_s = 0.05, .sigma = 0.2};
  return fleet;
}

class HealthTest : public testing::Test {
 protected:
  void start(FleetPolicy policy = small_fleet()) {
    fleet_ = std::make_unique<Fleet>(std::move(policy), world_, executor_, machine::Rng(3));
    fleet_->start_all();
    run(1s);  // The page counts from the broker's first report on.
  }
  // Lets time pass, with that many images a second.
  void run(wire::Duration time, int per_second = 0) {
    const wire::Instant end = world_.now() + time;
    const wire::Duration every = per_second > 0 ? wire::Duration(1s) / per_second : time;
    while (world_.now() < end) {
      if (per_second > 0) submit();
      world_.run_until(std::min(end, world_.now() + every));
      (void)client().take_results();
    }
  }
  // Lets the images on their way arrive, and time pass until the page has the broker's next report.
  void settle() {
    world_.run_until(world_.now() + 10ms);
    const auto before = sink().broker().heard();
    for (int i = 0; i < 100'000 && sink().broker().heard() == before; ++i) (void)world_.step();
  }
  void crash(std::size_t classifier) { world_.crash(fleet_->classifiers()[classifier]); }

  Json page() {
    return Json::parse(stages::sink::dashboard_json(sink(), broker_labels_, world_.now()));
  }
  const broker::Broker& broker() {
    return static_cast<const broker::Broker&>(*world_.machine(fleet_->broker()));
  }
  stages::sink::Sink& sink() {
    return static_cast<stages::sink::Sink&>(*world_.machine(fleet_->sink()));
  }

  // The page's rows are those of the broker's book, its counts those of the broker's roster, and
  // its totals the broker's counters.
  void expect_broker_agrees() {
    const Json shown = page();
    std::map<std::string, std::string> states;
    for (const Json& row : shown["workers"]) {
      if (row["role"] != "collage-CNN") states[row["id"]] = row["state"];
    }
    std::map<std::string, std::string> known;
    for (const wire::WorkerReport& report : broker().workers().reports(world_.now())) {
      known[machine::short_name(report.worker)] = to_string(report.state);
    }
    EXPECT_EQ(states, known);
    std::map<std::string, double> count;
    for (const auto& [id, state] : states) count[state] += 1;
    const machine::Telemetry roster = broker().telemetry();
    const auto in_roster = [&](const char* state) {
      return figure(roster, "collage_workers", {{"role", "classifier"}, {"state", state}}) +
             figure(roster, "collage_workers", {{"role", "assembler"}, {"state", state}});
    };
    EXPECT_EQ(count["ready"] + count["idle"], in_roster("well"));
    EXPECT_EQ(count["suspect"], in_roster("suspect"));
    EXPECT_EQ(count["probation"], in_roster("probation"));
    EXPECT_EQ(count["leaving"], in_roster("leaving"));
    for (const char* name : {"requests_admitted", "answered_single", "answered_collage", "missing",
                             "refused", "workers_lost", "overloaded", "batches"}) {
      EXPECT_EQ(shown["totals"][name], value(broker().status(), name)) << name;
    }
  }

  static std::uint64_t value(const wire::Status& status, const std::string& name) {
    const auto found = std::ranges::find(status.counters, name, &wire::Counter::name);
    return found == status.counters.end() ? 0 : found->value;
  }
  // The page's row of a stage.
  Json row(const std::string& role, std::size_t index) {
    const Json rows = page()["workers"];
    for (const Json& row : rows) {
      if (row["role"] == role && row.value("index", 99u) == index) return row;
    }
    ADD_FAILURE() << "the page shows no " << role << " " << index;
    return {};
  }
  std::string word() { return page()["state"]["word"]; }
  std::string reasons() {
    std::string text;
    const Json all = page()["state"]["reasons"];
    for (const Json& reason : all) text += reason.get<std::string>() + "; ";
    return text;
  }

 private:
  producer::Client& client() { return fleet_->client(fleet_->producers().front()); }
  void submit() {
    request_ += 1;
    (void)client().submit({request_}, make_image(request_, true), {}, world_.now());
    world_.rearm(fleet_->producers().front());
  }

  const std::vector<std::string> broker_labels_ = token_labels();
  TokenExecutor executor_{{.slots = 4, .single = {}, .paste = {}, .collage = {}}, machine::Rng(1)};
  World world_{{}, machine::Rng(2)};
  std::unique_ptr<Fleet> fleet_;
  std::uint64_t request_ = 0;

 protected:
  World& world() { return world_; }
  Fleet& fleet() { return *fleet_; }
};

TEST_F(HealthTest, AnIdlePipelineIsWellAndIdle) {
  start();
  run(75s);
  settle();
  expect_broker_agrees();
  EXPECT_EQ(word(), "OK");
  EXPECT_THAT(reasons(), HasSubstr("no images in the last minute"));
  for (std::size_t i = 0; i < kClassifiers; ++i) EXPECT_EQ(row("s-CNN", i)["state"], "idle");
  EXPECT_EQ(row("collage stage", 0)["state"], "idle");
}

TEST_F(HealthTest, ABusyPipelineIsWellAndReady) {
  start();
  run(70s, 30);
  settle();
  expect_broker_agrees();
  EXPECT_EQ(word(), "OK") << reasons();
  for (std::size_t i = 0; i < kClassifiers; ++i) EXPECT_EQ(row("s-CNN", i)["state"], "ready");
  EXPECT_GT(row("s-CNN", 0)["answers"], 20);
  EXPECT_NEAR(page()["minute"]["answered_per_s"].get<double>(), 30, 1);
}

TEST_F(HealthTest, AStageThatIsSlowStandsFirstWithTheReason) {
  FleetPolicy policy = small_fleet();
  policy.spells["classifier-2"] = {.factor = 8};
  start(policy);
  run(20s, 30);
  settle();
  expect_broker_agrees();
  const Json first = page()["workers"][0];
  EXPECT_EQ(first["index"], 2);
  EXPECT_EQ(first["state"], "probation");
  EXPECT_THAT(first["reason"].get<std::string>(), HasSubstr("usual are"));
  EXPECT_GT(first["since_s"], 1.0);
  EXPECT_EQ(word(), "DEGRADED");
  EXPECT_THAT(reasons(), HasSubstr("1 slow: s-CNN 2 on simulated"));
}

TEST_F(HealthTest, AStageThatIsDeadStandsFirstUntilItIsBack) {
  start();
  run(10s, 30);
  crash(1);
  run(10s, 30);
  settle();
  expect_broker_agrees();
  const Json first = page()["workers"][0];
  EXPECT_EQ(first["index"], 1);
  EXPECT_EQ(first["state"], "lost");
  EXPECT_EQ(word(), "DEGRADED");
  EXPECT_THAT(reasons(), HasSubstr("1 lost: s-CNN 1 on simulated"));

  fleet().start(fleet().classifiers()[1]);
  run(5s, 30);
  settle();
  expect_broker_agrees();
  EXPECT_EQ(row("s-CNN", 1)["state"], "ready");
  EXPECT_EQ(word(), "OK") << reasons();
}

TEST_F(HealthTest, OverloadIsSaidWithTheSharesOfRefusedAndOfCollagesAlone) {
  start();
  run(5s, 30);
  run(15s, 400);
  settle();
  expect_broker_agrees();
  EXPECT_EQ(word(), "OVERLOADED");
  const Json minute = page()["minute"];
  const wire::Status own = broker().status();
  const auto ended = static_cast<double>(
      value(own, "answered_single") + value(own, "answered_collage") +
      value(own, "answered_hedge") + value(own, "missing") + value(own, "refused"));
  // All of it was within the last minute.
  EXPECT_EQ(minute["refused"], value(own, "refused"));
  EXPECT_GT(minute["refused"], 0);
  EXPECT_NEAR(minute["brownout"].get<double>(),
              static_cast<double>(value(own, "answered_brownout")) / ended, 1e-9);
  EXPECT_GT(minute["brownout"], 0.1);
  EXPECT_THAT(reasons(), HasSubstr("answered from collages alone (brownout)"));
}

TEST_F(HealthTest, ABrokerThatIsGoneIsSaidAndNoStageIsBlamed) {
  start();
  run(5s, 30);
  settle();
  world().crash(fleet().broker());
  run(10s);
  EXPECT_EQ(word(), "NO BROKER");
  for (std::size_t i = 0; i < kClassifiers; ++i) EXPECT_EQ(row("s-CNN", i)["state"], "ready");
}

}  // namespace
}  // namespace replay::sim
