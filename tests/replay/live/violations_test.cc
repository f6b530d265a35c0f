#include "replay/live/violations.h"

#include <gmock/gmock.h>

namespace replay::live {
namespace {

using load::Fault;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Disturbed kBroker{.broker = true}, kSink{.sink = true};

// What is counted when the broker restarts and the sink's messages for its former life arrive.
Counts of_a_restart() {
  Counts counts;
  counts.clients = {{.resubmitted = 3, .duplicate_results = 2}};
  counts.settled_stale = 4;
  counts.bad_messages = 5;
  return counts;
}

TEST(Violations, ARestartOfTheBrokerBreaksNoPromise) {
  EXPECT_THAT(violations(of_a_restart(), kBroker), IsEmpty());
}

TEST(Violations, WithoutAFaultOfTheBrokerTheSameCountsAreViolations) {
  EXPECT_THAT(violations(of_a_restart(), {}), ElementsAre("4 settled_stale", "5 bad_messages"));
}

TEST(Violations, AResultThatComesTwiceNeedsAnImageThatWasSubmittedTwice) {
  Counts counts;
  counts.clients = {{.resubmitted = 1, .duplicate_results = 1},
                    {.resubmitted = 1, .duplicate_results = 3}};
  for (const Disturbed disturbed : {Disturbed{}, kBroker}) {
    EXPECT_THAT(violations(counts, disturbed), ElementsAre("2 results came twice"));
  }
}

TEST(Violations, ABrokerThatStoodStillMaySendAResultAfterTheClientsOwn) {
  Counts counts;
  counts.clients = {{.expired = 2, .duplicate_results = 2}};
  EXPECT_THAT(violations(counts, kBroker), IsEmpty());
  EXPECT_THAT(violations(counts, {}), ElementsAre("2 results came twice"));
}

TEST(Violations, ASinkThatWasStoppedIsUnknownUntilItsNextHello) {
  Counts counts;
  counts.bad_messages = 1;
  EXPECT_THAT(violations(counts, kSink), IsEmpty());
  counts.settled_stale = 1;  // But it is the same broker's life.
  EXPECT_THAT(violations(counts, kSink), ElementsAre("1 settled_stale"));
}

TEST(Violations, NoFaultExcusesALostImageOrABadAnswer) {
  Counts counts;
  counts.clients = {{.unknown_results = 1}};
  counts.unended = 2;
  counts.settled_bad = 3;
  EXPECT_THAT(
      violations(counts, {.broker = true, .sink = true}),
      ElementsAre("1 results without a request", "2 images without an answer", "3 settled_bad"));
}

TEST(Violations, AreExcusedByFaultsOfTheBrokersOrASinksProcessAlone) {
  const auto disturbed = [](Fault::What what, const std::string& node) {
    return disturbed_by({{.what = what, .node = node}});
  };
  for (const auto what : {Fault::What::kill, Fault::What::stop, Fault::What::restart}) {
    EXPECT_TRUE(disturbed(what, "broker").broker);
    EXPECT_FALSE(disturbed(what, "broker").sink);
    EXPECT_TRUE(disturbed(what, "sink-1").sink);
    EXPECT_FALSE(disturbed(what, "classifier-3").broker);
    EXPECT_FALSE(disturbed(what, "classifier-3").sink);
  }
  EXPECT_FALSE(disturbed(Fault::What::hog, "broker").broker);
  EXPECT_FALSE(disturbed_by({}).broker);
}

}  // namespace
}  // namespace replay::live
