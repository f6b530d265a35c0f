// What the broker reports of its workers and itself: to the sink's page, to the log, to /metrics.
#include "tests/broker/broker_fixture.h"
#include "tests/figure.h"

namespace broker {
namespace {

using testing::ElementsAre;
using testing::SizeIs;
using wire::WorkerState;

class BrokerHealthTest : public BrokerTest {
 protected:
  void join_named(std::uint64_t n, std::uint32_t index) {
    const wire::Model model{wire::labels_hash({"cat", "dog"}), 0, "s1"};
    say(worker(n),
        wire::WorkerHello{
            {2, n}, wire::Role::classifier, model, 4, {"a2", "collage-classifier@3", index, 77}});
  }
  // The list that the sink had last.
  std::vector<wire::WorkerReport> told() {
    const auto lists = received<wire::WorkerStates>(kSink);
    return lists.empty() ? std::vector<wire::WorkerReport>{} : lists.back().workers;
  }
};

TEST_F(BrokerHealthTest, TellsTheSinkOfItsWorkersAndOfItselfOnceAHeartbeat) {
  join_sink();
  join_named(1, 3);
  join_assembler(1);
  advance(1s);
  forget();
  advance(2s);
  EXPECT_THAT(received<wire::WorkerStates>(kSink), SizeIs(10));
  const auto statuses = received<wire::Status>(kSink);
  ASSERT_THAT(statuses, SizeIs(10));
  EXPECT_EQ(statuses.back().counters, broker->status().counters);
}

TEST_F(BrokerHealthTest, NamesEachWorkerWithWhereItRuns) {
  join_sink();
  join_named(1, 3);
  join_assembler(1);
  advance(1s);
  const auto workers = told();
  ASSERT_THAT(workers, SizeIs(2));
  EXPECT_EQ(workers[0].location, (wire::Location{"a2", "collage-classifier@3", 3, 77}));
  EXPECT_EQ(workers[0].role, wire::Role::classifier);
  EXPECT_EQ(workers[1].role, wire::Role::assembler);
  EXPECT_TRUE(noted("joined, model s1"));
  EXPECT_TRUE(noted("(index 3 on a2, pid 77, collage-classifier@3) joined"));
}

TEST_F(BrokerHealthTest, ASilentWorkerIsLostAndNamed) {
  join_sink();
  join_named(1, 3);
  advance(1s);  // 3.5 heartbeats of 100 ms without a Ready.
  const auto workers = told();
  ASSERT_THAT(workers, SizeIs(1));
  EXPECT_EQ(workers[0].state, WorkerState::lost);
  EXPECT_EQ(workers[0].cause, wire::LossCause::silence);
  EXPECT_TRUE(noted("lost classifier 00000000 (index 3 on a2, pid 77, collage-classifier@3) with"));
}

TEST_F(BrokerHealthTest, AWorkerWhoseConnectionFailsIsLostByThat) {
  join_sink();
  join_named(1, 3);
  say(worker(1), wire::Undelivered{});
  advance(200ms);
  const auto workers = told();
  ASSERT_THAT(workers, SizeIs(1));
  EXPECT_EQ(workers[0].cause, wire::LossCause::connection);
}

TEST_F(BrokerHealthTest, AWorkerOnANewConnectionIsNotLost) {
  join_sink();
  join_named(1, 3);
  const wire::Model model{wire::labels_hash({"cat", "dog"}), 0, "s1"};
  say(worker(8), wire::WorkerHello{{2, 1}, wire::Role::classifier, model, 4});
  advance(200ms);
  const auto workers = told();
  ASSERT_THAT(workers, SizeIs(1));
  EXPECT_EQ(workers[0].state, WorkerState::ready);
}

TEST_F(BrokerHealthTest, MetricsNameEachWorkerWithItsState) {
  join_named(1, 3);
  EXPECT_EQ(figure(broker->telemetry(), "collage_worker_state",
                   {{"role", "classifier"},
                    {"worker", "00000000"},
                    {"worker_host", "a2"},
                    {"worker_unit", "collage-classifier@3"},
                    {"worker_index", "3"},
                    {"state", "ready"}}),
            1);
}

TEST_F(BrokerHealthTest, CountsHowFullTheCollagesAre) {
  make(small_policy("collage"));
  join_sink();
  join_producer(1);
  join_worker(1, 9);
  join_assembler(1, 9);
  for (std::uint64_t request = 1; request <= 5; ++request) submit(1, request);
  advance(100ms);  // The fifth image's batch is sealed when its linger is over.
  EXPECT_EQ(counter("batches_covered"), 2u);
  EXPECT_EQ(counter("images_covered"), 5u);
  EXPECT_EQ(counter("batch_slots"), 4u);
}

TEST_F(BrokerHealthTest, ABatchWithoutACollageHasNoFill) {
  make(small_policy("collage"));
  join_producer(1);
  join_worker(1, 9);
  submit(1, 1);
  advance(100ms);
  EXPECT_EQ(counter("batches_covered"), 0u);
  EXPECT_EQ(counter("batches_uncovered"), 1u);
}

TEST_F(BrokerHealthTest, CountsAnswersByTheVersionOfTheModel) {
  join_sink();
  join_producer(1);
  join_worker(1);
  submit(1, 1);
  settle(the<wire::Assign>(worker(1)).batch, 0);
  EXPECT_EQ(figure(broker->telemetry(), "collage_model_answer_duration_seconds",
                   {{"version", "v1"}, {"source", "single"}}),
            1);
}

}  // namespace
}  // namespace broker
