#include "producer/push/pace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

namespace producer {
namespace {

void answer(Pace& pace, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    pace.on_answer();
    pace.on_done();
  }
}

TEST(Pace, GrowsByOneForEachAnswerUntilTheFirstSetback) {
  Pace pace;
  EXPECT_EQ(pace.window(), Pace::kFirst);
  answer(pace, 84);
  EXPECT_EQ(pace.window(), 100u);
}

TEST(Pace, ASetbackHalvesItAndThenAWindowOfAnswersAddsOne) {
  Pace pace;
  answer(pace, 24);
  pace.on_setback(40);
  EXPECT_EQ(pace.window(), 20u);
  answer(pace, 19);
  EXPECT_EQ(pace.window(), 20u);
  answer(pace, 1);
  EXPECT_EQ(pace.window(), 21u);
}

TEST(Pace, ALargeWindowComesBackByParts) {
  Pace pace;
  answer(pace, 484);
  pace.on_setback(500);
  EXPECT_EQ(pace.window(), 250u);
  answer(pace, 250);
  EXPECT_EQ(pace.window(), 265u);
}

TEST(Pace, HalvesWhatWasOpenIfThatIsLess) {
  Pace pace;
  answer(pace, 84);
  pace.on_setback(10);  // As when files are read slowly.
  EXPECT_EQ(pace.window(), 5u);
}

TEST(Pace, OneCrowdHalvesItOnce) {
  Pace pace;
  for (std::size_t open = 16; open > 0; --open) {
    pace.on_setback(open);
    pace.on_done();
  }
  EXPECT_EQ(pace.window(), 8u);
  pace.on_setback(7);
  EXPECT_EQ(pace.window(), 3u);
}

TEST(Pace, IsNeverZero) {
  Pace pace;
  for (int i = 0; i < 10; ++i) {
    pace.on_setback(1);
    pace.on_done();
  }
  EXPECT_EQ(pace.window(), 1u);
  pace.on_setback(0);
  EXPECT_EQ(pace.window(), 1u);
  answer(pace, 1);
  EXPECT_EQ(pace.window(), 2u);
}

// Stages that take `service` turns for an image, `stages` at once, and refuse those that would wait
// for more than `wait_max` turns; the client tries these again a turn later.
struct Trial {
  std::size_t open_most = 0, turns = 0, refused = 0;
};
Trial push(std::size_t images, std::size_t stages, std::size_t service, std::size_t wait_max) {
  Pace pace;
  Trial trial;
  std::size_t open = 0, done = 0, since = 0;
  while (done < images) {
    while (open < pace.window() && done + open < images) ++open;
    trial.open_most = std::max(trial.open_most, open);
    if (open * service > wait_max * stages) {
      trial.refused += 1;
      pace.on_setback(open);
    }
    if (++since == service) {
      since = 0;
      const std::size_t answered = std::min(stages, open);
      open -= answered;
      done += answered;
      answer(pace, answered);
    }
    ++trial.turns;
  }
  return trial;
}

TEST(Pace, KeepsSlowStagesBusyAndTheirLineShort) {
  const Trial slow = push(800, 2, 16, 100);  // 12 or 13 images may wait.
  EXPECT_LE(slow.turns, 800u / 2 * 16 * 105 / 100);
  EXPECT_LE(slow.open_most, 32u);
}

TEST(Pace, FindsTheWindowThatManyStagesNeed) {
  const Trial quick = push(4'000, 200, 4, 100);   // 5,000 images may wait.
  EXPECT_LE(quick.turns, 4'000u / 200 * 4 + 24);  // The window doubles in each of the first rounds.
  EXPECT_EQ(quick.refused, 0u);
}

}  // namespace
}  // namespace producer
