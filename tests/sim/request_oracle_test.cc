#include "replay/sim/request_oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/values.h"

namespace replay::sim {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr wire::RequestId kFirst{1}, kSecond{2};

class RequestOracleTest : public testing::Test {
 protected:
  RequestOracleTest()
      : log_(0), violations_(log_), world_({}, machine::Rng(1)), producer_(world_.add("p")) {
    options_.executor.digits = 1;
    options_.executor.misread = 0.5;
    options_.fleet.broker.redundancy.collages_per_batch = 1;
    options_.fleet.broker.correction_window = 1s;
    options_.fleet.producer.grace = 100ms;
  }

  // The producer submits an image that a single digit names, with a deadline of a second.
  void submit(wire::RequestId id, std::uint64_t token, bool usable = true, bool calm = false,
              std::optional<producer::StreamId> stream = std::nullopt) {
    oracle_.on_submit(producer_, id, {token, usable, at(1s), calm, stream});
  }
  static wire::Result result(wire::RequestId id, wire::ResultStatus status) {
    wire::Result result;
    result.request = id;
    result.status = status;
    return result;
  }
  static wire::Result answer(wire::RequestId id, std::uint64_t label,
                             wire::Source source = wire::Source::single) {
    wire::Result answer = result(id, wire::ResultStatus::answered);
    answer.source = source;
    answer.predictions = {{"", {{label}, 1}}};
    return answer;
  }
  static wire::Correction correction(wire::RequestId id, std::uint64_t label) {
    wire::Correction correction;
    correction.request = id;
    correction.predictions = {{"", {{label}, 1}}};
    return correction;
  }
  void deliver(const wire::Result& result, wire::Duration when = 500ms) {
    oracle_.on_result(producer_, {result, {}, false}, at(when));
  }
  const std::vector<std::string>& found() const { return violations_.texts(); }

  TrialOptions options_;
  EventLog log_;
  Violations violations_;
  World world_;
  const NodeId producer_;
  RequestOracle oracle_{options_, world_, violations_};
};

TEST_F(RequestOracleTest, AnAnswerOfTheOwnImageInTimeIsRight) {
  submit(kFirst, 7);
  deliver(answer(kFirst, 7));
  oracle_.finish(at(2s));
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(oracle_.counts().single, 1u);
}

TEST_F(RequestOracleTest, FindsAnswersThatAreWrongLateRepeatedOrMissing) {
  submit(kFirst, 7);
  deliver(answer(kFirst, 8), 1101ms);
  deliver(answer(kFirst, 7));
  submit(kSecond, 9);
  oracle_.finish(at(2s));
  EXPECT_THAT(found(), ElementsAre("p's request 1 is delivered after its deadline",
                                   "p's request 1 got the answer of another image",
                                   "p's request 1 is delivered twice",
                                   "p's request 2 has no result at the end"));
}

TEST_F(RequestOracleTest, TheGraceOfTheClientIsAllowed) {
  submit(kFirst, 7);
  deliver(answer(kFirst, 7), 1100ms);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(RequestOracleTest, AnImageIsRejectedOnlyIfNothingCanDecodeIt) {
  submit(kFirst, 7, false);
  deliver(result(kFirst, wire::ResultStatus::rejected));
  EXPECT_THAT(found(), IsEmpty());
  submit(kSecond, 8);
  deliver(result(kSecond, wire::ResultStatus::rejected));
  EXPECT_THAT(found(), ElementsAre(HasSubstr("rejected though its image is good")));
}

TEST_F(RequestOracleTest, ARequestMayBeMissingUnlessAllIsCalm) {
  submit(kFirst, 7);
  deliver(result(kFirst, wire::ResultStatus::missing));
  EXPECT_THAT(found(), IsEmpty());
  submit(kSecond, 8, true, true);
  deliver(result(kSecond, wire::ResultStatus::missing));
  EXPECT_THAT(found(), ElementsAre(HasSubstr("not answered though all is calm")));
}

TEST_F(RequestOracleTest, OnlyACancelledRequestIsCancelled) {
  submit(kFirst, 7);
  EXPECT_FALSE(oracle_.on_cancel(producer_, kFirst, 6));  // The image of another life.
  EXPECT_TRUE(oracle_.on_cancel(producer_, kFirst, 7));
  deliver(result(kFirst, wire::ResultStatus::cancelled));
  EXPECT_THAT(found(), IsEmpty());
  submit(kSecond, 8);
  deliver(result(kSecond, wire::ResultStatus::cancelled));
  EXPECT_THAT(found(), ElementsAre(HasSubstr("cancelled though its producer did not")));
}

TEST_F(RequestOracleTest, OnlyAnOlderFrameIsSuperseded) {
  for (const wire::RequestId id : {kFirst, kSecond}) {
    oracle_.on_submit(producer_, id, {.token = 7, .deadline = at(1s), .latest = 3});
  }
  deliver(result(kFirst, wire::ResultStatus::superseded));
  EXPECT_THAT(found(), IsEmpty());
  deliver(result(kSecond, wire::ResultStatus::superseded));
  EXPECT_THAT(found(), ElementsAre(HasSubstr("superseded though there is no newer frame")));
  EXPECT_EQ(oracle_.counts().superseded, 2u);
}

TEST_F(RequestOracleTest, ResultsOfAStreamComeInOrder) {
  submit(kFirst, 7, true, false, producer::StreamId{1});
  submit(kSecond, 8, true, false, producer::StreamId{1});
  deliver(answer(kSecond, 8));
  deliver(answer(kFirst, 7));
  EXPECT_THAT(found(), ElementsAre("p's request 2 is delivered out of its order"));
}

TEST_F(RequestOracleTest, ACorrectionFollowsACollageAnswerOnceWithinTheWindow) {
  submit(kFirst, 7);
  // A misread cell spells the token backwards, which for one digit is the token itself.
  oracle_.on_result_sent(producer_, answer(kFirst, 7, wire::Source::collage), at(0s));
  oracle_.on_correction_sent(producer_, correction(kFirst, 7), true, at(1s));
  oracle_.on_correction_sent(producer_, correction(kFirst, 7), false, at(1s));
  EXPECT_THAT(found(),
              ElementsAre(HasSubstr("repeats the answer"), HasSubstr("comes after the window"),
                          HasSubstr("sent though it did not ask"),
                          HasSubstr("follows no answer by a collage")));
}

TEST_F(RequestOracleTest, ARestartedBrokerHasNothingToCorrect) {
  submit(kFirst, 7);
  oracle_.on_result_sent(producer_, answer(kFirst, 7, wire::Source::collage), at(0s));
  oracle_.on_broker_life();
  oracle_.on_correction_sent(producer_, correction(kFirst, 7), true, at(1ms));
  EXPECT_THAT(found(), ElementsAre(HasSubstr("follows no answer by a collage")));
}

TEST_F(RequestOracleTest, RequestsEndWithTheirProducer) {
  submit(kFirst, 7);
  oracle_.on_producer_crashed(producer_);
  oracle_.finish(at(2s));
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(oracle_.counts().lost_with_producer, 1u);
  oracle_.on_result_arrived(producer_, answer(kFirst, 7), at(2s));
  EXPECT_THAT(found(), ElementsAre(HasSubstr("that it never made")));
}

}  // namespace
}  // namespace replay::sim
