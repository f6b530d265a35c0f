#include "tests/producer/client_fixture.h"

namespace producer {
namespace {

class ClientOrderTest : public ClientTest {
 protected:
  Client::Submitted in(std::uint64_t stream, std::uint64_t id, Duration deadline = 0s) {
    return submit(id, deadline, 4, StreamId{stream});
  }
};

TEST_F(ClientOrderTest, ResultsOfAStreamAreDeliveredInTheOrderOfSubmission) {
  join();
  for (std::uint64_t id = 1; id <= 3; ++id) in(7, id);
  say(result(3));
  say(result(2));
  EXPECT_THAT(delivered(), IsEmpty());
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2), answered(3)));
}

TEST_F(ClientOrderTest, OthersDoNotWait) {
  join();
  in(7, 1);
  in(8, 2);
  submit(3);
  say(result(3));
  say(result(2));
  EXPECT_THAT(delivered(), ElementsAre(answered(3), answered(2)));
}

TEST_F(ClientOrderTest, MissingRefusedAndCancelledTakeTheirTurnToo) {
  join();
  in(7, 1, 1s);
  submit(2, 0s, 101, StreamId{7});
  in(7, 3);
  in(7, 4);
  say(result(4));
  cancel(3);
  say(result(3, ResultStatus::cancelled));
  EXPECT_THAT(delivered(), IsEmpty());
  advance(1500ms);
  EXPECT_THAT(delivered(), ElementsAre(missing(1), refused(2), cancelled(3), answered(4)));
}

TEST_F(ClientOrderTest, LatencyIncludesTheWaitForThoseBefore) {
  join();
  in(7, 1);
  advance(10ms);
  in(7, 2);
  advance(50ms);
  say(result(2));
  advance(100ms);
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
  EXPECT_EQ(last.latency, 90ms);
}

TEST_F(ClientOrderTest, AHeldResultIsAnOpenRequestButTakesNoCredit) {
  Policy p = policy();
  p.open_max = 3;
  make(p);
  join(2);
  in(7, 1);
  in(7, 2);
  say(result(2));
  EXPECT_EQ(client->open(), 2u);
  EXPECT_EQ(client->window(), 1u);
  sent();
  EXPECT_EQ(in(7, 3), Client::Submitted::queued);
  EXPECT_THAT(sent(), ElementsAre(3));
  EXPECT_EQ(in(7, 4), Client::Submitted::full);
  say(result(1));
  EXPECT_EQ(client->open(), 1u);
}

TEST_F(ClientOrderTest, AHeldResultIsNotCancelledAnyMore) {
  join();
  in(7, 1);
  in(7, 2);
  say(result(2));
  EXPECT_FALSE(cancel(2));
  EXPECT_THAT(cancels(), IsEmpty());
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
}

TEST_F(ClientOrderTest, AHeldResultIsNotDeliveredTwice) {
  join();
  in(7, 1);
  in(7, 2);
  say(result(2));
  say(result(2, ResultStatus::missing));
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
  EXPECT_EQ(counters().duplicate_results, 1u);
}

TEST_F(ClientOrderTest, ARestartOfTheBrokerKeepsTheOrder) {
  join();
  in(7, 1);
  in(7, 2);
  say(result(2));
  sent();
  welcome(4, kOtherEpoch);
  EXPECT_THAT(sent(), ElementsAre(1));
  say(result(1));
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
}

TEST_F(ClientOrderTest, ADrainEndsWithTheLastOfTheStream) {
  join();
  in(7, 1);
  in(7, 2);
  say(result(2));
  say(wire::Drain{});
  EXPECT_FALSE(finished);
  say(result(1));
  EXPECT_TRUE(finished);
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
}

}  // namespace
}  // namespace producer
