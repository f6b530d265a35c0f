#include "models/research/commands/time_left.h"

#include <gtest/gtest.h>

namespace models {
namespace {

TEST(TimeLeft, IsUnknownUntilAPartOfAnEpochHasBeenSeen) {
  TimeLeft left({.epochs = 3}, 100);
  EXPECT_EQ(left.seconds(), std::nullopt);
  left.on_progress(1, 0, 110);
  EXPECT_EQ(left.seconds(), std::nullopt);
  left.on_progress(1, 0.5, 120);
  EXPECT_EQ(left.seconds(), 2.5 * 20 + 2 * 10);
}

// A teacher needs 200 s for a pool that serves six epochs of 6 s: 36 epochs take 24 minutes.
TEST(TimeLeft, CountsPoolsAndStepsApart) {
  TimeLeft left({.epochs = 36, .tile_epochs = 6}, 0);
  left.on_progress(1, 0, 200);
  left.on_progress(1, 0.5, 203);
  EXPECT_EQ(left.seconds(), 35.5 * 6 + 5 * 200);
  left.on_progress(1, 1, 206);
  left.on_progress(2, 0, 207);  // Validation.
  left.on_progress(2, 1, 213);
  EXPECT_EQ(left.seconds(), 34 * 6 + 5 * 200 + 29 * 1);
}

TEST(TimeLeft, PoolsThatTakeTurnsAreAnsweredOnce) {
  TimeLeft left({.epochs = 150, .rotation = 30}, 0);
  left.on_progress(1, 0, 100);
  left.on_progress(1, 1, 110);
  EXPECT_EQ(left.seconds(), 149 * 10 + 29 * 100);
}

// The epochs of an earlier process count as done.  This one has to make the pool of epoch 9 anew.
TEST(TimeLeft, OfARunThatGoesOnIsThatOfTheRest) {
  TimeLeft left({.epochs = 36, .tile_epochs = 6}, 0);
  left.on_progress(9, 0, 200);
  left.on_progress(9, 0.5, 203);
  EXPECT_EQ(left.seconds(), 27.5 * 6 + 4 * 200);
}

}  // namespace
}  // namespace models
