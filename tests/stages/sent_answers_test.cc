#include "stages/sent_answers.h"

#include <gmock/gmock.h>

#include "tests/stages/heard.h"
#include "tests/values.h"

namespace stages {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kFirstSink = 3;

class SentAnswersTest : public testing::Test {
 protected:
  void send(wire::SinkIndex sink, std::uint64_t number, wire::Duration deadline,
            wire::Duration now = 0ms) {
    machine::Actions actions;
    wire::Answer answer;
    answer.batch = batch(number);
    answers.send(sink, batch(number), answer, at(deadline), at(now), actions);
    EXPECT_THAT(numbers(actions, sink), ElementsAre(number));
  }
  // The batches of the answers that are sent again.
  std::vector<std::uint64_t> redirect(wire::SinkIndex from, wire::SinkIndex to,
                                      std::uint64_t oldest, wire::Duration now) {
    machine::Actions actions;
    const std::size_t count = answers.redirect({from, to, batch(oldest)}, at(now), actions);
    EXPECT_EQ(count, actions.messages.size());
    return numbers(actions, to);
  }
  static std::vector<std::uint64_t> numbers(const machine::Actions& actions, wire::SinkIndex sink) {
    std::vector<std::uint64_t> found;
    for (const auto& answer : heard<wire::Answer>(actions, kFirstSink + sink)) {
      found.push_back(answer.batch.sequence.value);
    }
    return found;
  }

  SentAnswers answers{kFirstSink, 3};
};

TEST_F(SentAnswersTest, GoAgainToTheOtherSinkInTheirOrder) {
  send(0, 1, 100ms);
  send(0, 2, 100ms);
  EXPECT_THAT(redirect(0, 1, 1, 50ms), ElementsAre(1, 2));
}

TEST_F(SentAnswersTest, OfAnotherSinkStay) {
  send(0, 1, 100ms);
  send(1, 2, 100ms);
  EXPECT_THAT(redirect(1, 0, 1, 50ms), ElementsAre(2));
}

TEST_F(SentAnswersTest, AreThoseOfTheNewSinkFromThenOn) {
  send(0, 1, 100ms);
  EXPECT_THAT(redirect(0, 1, 1, 10ms), ElementsAre(1));
  EXPECT_THAT(redirect(0, 2, 1, 20ms), IsEmpty());
  EXPECT_THAT(redirect(1, 1, 1, 30ms), ElementsAre(1));
}

TEST_F(SentAnswersTest, OfBatchesBeforeTheOldestOpenOneAreNotNeeded) {
  send(0, 1, 100ms);
  send(0, 2, 100ms);
  EXPECT_THAT(redirect(0, 1, 2, 50ms), ElementsAre(2));
}

TEST_F(SentAnswersTest, AreKeptUntilTheDeadlineOfTheirImages) {
  send(0, 1, 100ms);
  send(0, 2, 101ms);
  EXPECT_THAT(redirect(0, 1, 1, 100ms), ElementsAre(2));
}

TEST_F(SentAnswersTest, TheOldestGivesWayAtTheBound) {
  for (const std::uint64_t number : {1, 2, 3, 4}) send(0, number, 100ms);
  EXPECT_EQ(answers.kept(), 3u);
  EXPECT_THAT(redirect(0, 1, 1, 50ms), ElementsAre(2, 3, 4));
}

TEST_F(SentAnswersTest, AreForgottenOnRequest) {
  send(0, 1, 100ms);
  answers.clear();
  EXPECT_THAT(redirect(0, 1, 1, 50ms), IsEmpty());
}

}  // namespace
}  // namespace stages
