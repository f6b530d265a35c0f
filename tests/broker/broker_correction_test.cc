#include "tests/broker/broker_fixture.h"

namespace broker {
namespace {

using testing::IsEmpty;
using wire::Reason;
using wire::Source;

// Slots are answered `dog`, class 1; a correction to that is `cat`, class 0.
class BrokerCorrectionTest : public BrokerTest {
 protected:
  BrokerCorrectionTest() { begin(small_policy()); }
  void begin(Policy policy) {
    policy.correction_window = 2s;
    policy.correction_max = 2;
    make(std::move(policy));
    join(1, true);
    join_sink();
    forget();
  }
  void join(std::uint64_t n, bool corrections) {
    say(producer(n), wire::ProducerHello{{1, n}, corrections});
  }
  void correct(wire::BatchId batch, wire::Slot slot, std::uint64_t label = 0,
               Source source = Source::single) {
    say(kSink, wire::Disagreement{batch, slot, source, {{{label}, 0.75f}}, "s1"});
  }
  std::size_t corrections(std::uint64_t n) {
    return received<wire::Correction>(producer(n)).size();
  }
};

TEST_F(BrokerCorrectionTest, ACollageAnswerIsCorrectedToTheProducerThatGotIt) {
  advance(10ms);
  submit(1, 5);
  advance(300ms);
  settle(batch(1), 0, Source::collage);
  EXPECT_EQ(counter("correctable"), 1u);
  advance(390ms);
  correct(batch(1), 0, 0, Source::hedge);
  const auto correction = the<wire::Correction>(producer(1));
  EXPECT_EQ(correction.request.value, 5u);
  EXPECT_EQ(correction.source, Source::hedge);
  EXPECT_EQ(correction.latency, 380ms);
  ASSERT_EQ(correction.predictions.size(), 1u);
  EXPECT_EQ(correction.predictions[0].name, "cat");
  EXPECT_EQ(correction.version, "s1");
  EXPECT_EQ(counter("corrections"), 1u);
  EXPECT_EQ(counter("correctable"), 0u);
}

TEST_F(BrokerCorrectionTest, ThereIsOneCorrectionARequest) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  correct(batch(1), 0);
  correct(batch(1), 0);
  EXPECT_EQ(corrections(1), 1u);
  EXPECT_EQ(counter("corrections_unwanted"), 1u);
}

TEST_F(BrokerCorrectionTest, WhoDidNotAskGetsNone) {
  join(2, false);
  submit(2, 5);
  settle(batch(1), 0, Source::collage);
  EXPECT_EQ(counter("correctable"), 0u);
  correct(batch(1), 0);
  EXPECT_EQ(corrections(1) + corrections(2), 0u);
  EXPECT_EQ(counter("corrections_unwanted"), 1u);
}

TEST_F(BrokerCorrectionTest, NothingButACollageAnswerIsCorrected) {
  for (std::uint64_t request = 1; request <= 5; ++request) submit(1, request);
  settle(batch(1), 0, Source::single);
  settle(batch(1), 1, Source::hedge);
  settle(batch(1), 2, Source::single, {{}, Reason::not_an_image});
  cancel(1, 4);
  settle(batch(1), 3, Source::collage);
  advance(1s);  // The fifth is missing.
  settle(batch(2), 0, Source::collage);
  for (wire::Slot slot = 0; slot < 4; ++slot) correct(batch(1), slot);
  correct(batch(2), 0);
  correct(batch(2), 1);  // Blank.
  EXPECT_EQ(corrections(1), 0u);
  EXPECT_EQ(counter("corrections_unwanted"), 6u);
}

TEST_F(BrokerCorrectionTest, ARejectionThatSaysItIsACollagesIsNotRemembered) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage, {{}, Reason::not_an_image});
  EXPECT_EQ(counter("correctable"), 0u);
}

TEST_F(BrokerCorrectionTest, TheClassThatWasSentIsNoCorrection) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  correct(batch(1), 0, 1);
  EXPECT_EQ(corrections(1), 0u);
  EXPECT_EQ(counter("corrections_unwanted"), 1u);
}

TEST_F(BrokerCorrectionTest, AfterTheWindowThereIsNone) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  advance(1900ms);
  join(1, true);
  advance(2s);
  correct(batch(1), 0);
  EXPECT_EQ(corrections(1), 0u);
}

TEST_F(BrokerCorrectionTest, WhatNobodyCorrectsIsForgottenInTheEnd) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  advance(2100ms);
  EXPECT_EQ(counter("correctable"), 0u);
}

TEST_F(BrokerCorrectionTest, AtCorrectionMaxTheOldestIsForgotten) {
  for (std::uint64_t request = 1; request <= 3; ++request) submit(1, request);
  for (wire::Slot slot = 0; slot < 3; ++slot) settle(batch(1), slot, Source::collage);
  EXPECT_EQ(counter("correctable"), 2u);
  EXPECT_EQ(counter("corrections_forgotten"), 1u);
  correct(batch(1), 0);
  EXPECT_EQ(corrections(1), 0u);
  correct(batch(1), 1);
  EXPECT_EQ(corrections(1), 1u);
}

TEST_F(BrokerCorrectionTest, ItGoesWhereTheProducerSpeaksFromNow) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  say(producer(8), wire::ProducerHello{{1, 1}, true});
  correct(batch(1), 0);
  EXPECT_EQ(corrections(1), 0u);
  EXPECT_EQ(corrections(8), 1u);
}

TEST_F(BrokerCorrectionTest, AProducerThatIsGoneGetsNone) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  say(producer(1), wire::Undelivered{});
  correct(batch(1), 0);
  EXPECT_EQ(corrections(1), 0u);
  EXPECT_EQ(counter("corrections_undelivered"), 1u);
}

TEST_F(BrokerCorrectionTest, AResultThatFoundNobodyIsNotRemembered) {
  submit(1, 5);
  say(producer(1), wire::Undelivered{});
  settle(batch(1), 0, Source::collage);
  EXPECT_EQ(counter("correctable"), 0u);
}

TEST_F(BrokerCorrectionTest, ARequestThatIsSubmittedAgainIsNotCorrectedForTheAnswerBefore) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  submit(1, 5);
  correct(batch(1), 0);
  EXPECT_EQ(corrections(1), 0u);
  settle(batch(1), 1, Source::collage);
  correct(batch(1), 1);
  EXPECT_EQ(corrections(1), 1u);
}

TEST_F(BrokerCorrectionTest, NonsenseAndWhatIsOfAnotherLifeAreCountedAndDropped) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  correct(batch(1), 0, 2);  // There are two classes.
  correct(batch(1), 0, 0, Source::collage);
  correct(batch(1), 0, 0, Source::none);
  say(kSink, wire::Disagreement{batch(1), 0, Source::single, {}, "s1"});
  EXPECT_EQ(counter("settled_bad"), 4u);
  correct({{8}, {1}}, 0);
  EXPECT_EQ(counter("settled_stale"), 1u);
  EXPECT_EQ(corrections(1), 0u);
  EXPECT_EQ(counter("correctable"), 1u);
}

TEST_F(BrokerCorrectionTest, OnlyTheSinkCorrects) {
  submit(1, 5);
  settle(batch(1), 0, Source::collage);
  for (const machine::Peer peer : {worker(7), producer(1)}) {
    say(peer, wire::Disagreement{batch(1), 0, Source::single, {{{0}, 0.9f}}, "s1"});
    EXPECT_THAT(received<wire::Refuse>(peer), testing::SizeIs(1));
  }
  EXPECT_EQ(corrections(1), 0u);
}

TEST_F(BrokerCorrectionTest, EveryoneLearnsTheWindow) {
  join(2, true);
  EXPECT_EQ(the<wire::Welcome>(producer(2)).correction_window, 2s);
  join_sink(2, worker(95));
  EXPECT_EQ(the<wire::Welcome>(worker(95)).correction_window, 2s);
}

}  // namespace
}  // namespace broker
