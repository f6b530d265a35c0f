#include "tests/producer/client_fixture.h"

namespace producer {
namespace {

using testing::SizeIs;

// In these tests collages answer class 1.
class ClientCorrectionTest : public ClientTest {
 protected:
  ClientCorrectionTest() {
    Policy p = policy();
    p.corrections = true;
    p.correction_max = 2;
    make(p);
    join();
  }
  void answer(std::uint64_t id, wire::Source source = wire::Source::collage) {
    wire::Result r = result(id);
    r.source = source;
    r.predictions = {{"dog", {{1}, 0.5f}}};
    say(r);
  }
  void correct(std::uint64_t id, std::uint64_t label = 0) {
    say(wire::Correction{{id}, wire::Source::single, 400ms, {{"cat", {{label}, 0.75f}}}, "s1"});
  }
  // Returns the requests whose corrections were delivered since the last call.
  std::vector<std::uint64_t> corrected() {
    std::vector<std::uint64_t> ids;
    for (Correction& one : client->take_corrections()) {
      ids.push_back(one.correction.request.value);
      last_correction = std::move(one);
    }
    return ids;
  }
  Correction last_correction;
};

TEST_F(ClientCorrectionTest, TheHelloAsksForThem) {
  EXPECT_TRUE(last_hello.corrections);
  make(policy());
  advance(now.since_start);
  EXPECT_FALSE(last_hello.corrections);
}

TEST_F(ClientCorrectionTest, ACollageAnswerIsCorrectedOnce) {
  advance(10ms);
  submit(1);
  advance(100ms);
  answer(1);
  advance(300ms);
  correct(1);
  correct(1);
  EXPECT_THAT(corrected(), ElementsAre(1));
  EXPECT_EQ(last_correction.latency, 290ms);
  EXPECT_EQ(last_correction.correction.latency, 400ms);
  EXPECT_EQ(last_correction.correction.predictions[0].name, "cat");
  EXPECT_EQ(counters().corrections, 1u);
  EXPECT_EQ(counters().corrections_dropped, 1u);
}

TEST_F(ClientCorrectionTest, OtherAnswersAreNot) {
  for (std::uint64_t id = 1; id <= 3; ++id) submit(id);
  answer(1, wire::Source::single);
  answer(2, wire::Source::hedge);
  for (std::uint64_t id = 1; id <= 4; ++id) correct(id);  // 3 is open, 4 never was.
  EXPECT_THAT(corrected(), IsEmpty());
  EXPECT_EQ(counters().corrections_dropped, 4u);
  answer(3);
  EXPECT_THAT(delivered(), SizeIs(3));
  EXPECT_THAT(corrected(), IsEmpty());
}

TEST_F(ClientCorrectionTest, TheClassThatWasDeliveredIsNoCorrection) {
  submit(1);
  answer(1);
  correct(1, 1);
  EXPECT_THAT(corrected(), IsEmpty());
}

TEST_F(ClientCorrectionTest, ACorrectionWithoutAClassIsDropped) {
  submit(1);
  answer(1);
  say(wire::Correction{{1}, wire::Source::single, 400ms, {}, "s1"});
  EXPECT_THAT(corrected(), IsEmpty());
  EXPECT_EQ(counters().corrections_dropped, 1u);
}

TEST_F(ClientCorrectionTest, NoneIsExpectedAfterTheWindowAndAGrace) {
  submit(1);
  answer(1);
  EXPECT_EQ(client->correctable(), 1u);
  for (Duration t = 500ms; t < 2500ms; t += 500ms) {
    advance(t);
    welcome();
  }
  advance(2499ms);
  EXPECT_EQ(client->correctable(), 1u);
  advance(2500ms);
  EXPECT_EQ(client->correctable(), 0u);
  correct(1);
  EXPECT_THAT(corrected(), IsEmpty());
}

TEST_F(ClientCorrectionTest, WhereThereAreNoneNothingIsRemembered) {
  say(wire::Welcome{.epoch = kEpoch, .heartbeat = 1s, .credit = 4, .image_bytes_max = 100});
  submit(1);
  answer(1);
  EXPECT_EQ(client->correctable(), 0u);
}

TEST_F(ClientCorrectionTest, AtCorrectionMaxTheOldestAnswerIsForgotten) {
  for (std::uint64_t id = 1; id <= 3; ++id) submit(id);
  for (std::uint64_t id = 1; id <= 3; ++id) {
    advance(now.since_start + 1ms);
    answer(id);
  }
  EXPECT_EQ(client->correctable(), 2u);
  correct(1);
  correct(2);
  EXPECT_THAT(corrected(), ElementsAre(2));
}

TEST_F(ClientCorrectionTest, CorrectionsThatNobodyTakesAreBounded) {
  for (std::uint64_t id = 1; id <= 3; ++id) {
    submit(id);
    answer(id);
    correct(id);
  }
  EXPECT_THAT(corrected(), ElementsAre(1, 2));
  EXPECT_EQ(counters().corrections_dropped, 1u);
}

TEST_F(ClientCorrectionTest, ACorrectionOfAHeldResultWaitsForIt) {
  submit(1, 0s, 4, StreamId{7});
  submit(2, 0s, 4, StreamId{7});
  answer(2);
  correct(2);
  EXPECT_THAT(corrected(), IsEmpty());
  answer(1, wire::Source::single);
  EXPECT_THAT(delivered(), ElementsAre(answered(1), answered(2)));
  EXPECT_THAT(corrected(), ElementsAre(2));
}

TEST_F(ClientCorrectionTest, OurOwnWordIsNotCorrected) {
  submit(1, 1s);
  advance(1500ms);
  EXPECT_THAT(delivered(), ElementsAre(missing(1)));
  correct(1);
  EXPECT_THAT(corrected(), IsEmpty());
}

}  // namespace
}  // namespace producer
