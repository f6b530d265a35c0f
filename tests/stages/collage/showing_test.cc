#include "stages/collage/showing.h"

#include <gtest/gtest.h>

#include "tests/values.h"

namespace stages::collage {
namespace {

using namespace std::chrono_literals;

const wire::Payload kCanvas(wire::Payload::Bytes(12, 7));
const std::vector<bool> kFull(4, false), kOneBlank = {false, false, false, true};
constexpr PictureForm kForm{.width = 2, .height = 2, .channels = 3, .bytes_max = 12};

TEST(Showing, ShowsNothingUnlessItIsAskedTo) {
  Showing showing(std::nullopt);
  EXPECT_FALSE(showing.take(batch(1), kFull, kCanvas, at(9s)));
}

TEST(Showing, SharesThePixelsOfAFullBatch) {
  Showing showing(kForm);
  const auto picture = showing.take(batch(5), kFull, kCanvas, at(0s));
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->batch, batch(5));
  EXPECT_EQ(picture->width, 2u);
  EXPECT_EQ(picture->channels, 3u);
  EXPECT_EQ(picture->picture.bytes().data(), kCanvas.bytes().data());
}

TEST(Showing, LeavesBatchesWithABlankSlotOut) {
  Showing showing(kForm);
  EXPECT_FALSE(showing.take(batch(1), kOneBlank, kCanvas, at(0s)));
  EXPECT_TRUE(showing.take(batch(2), kFull, kCanvas, at(0s)));
}

TEST(Showing, ShowsOneASecondAtMost) {
  Showing showing(kForm);
  EXPECT_TRUE(showing.take(batch(1), kFull, kCanvas, at(5s)));
  EXPECT_FALSE(showing.take(batch(2), kFull, kCanvas, at(5999ms)));
  EXPECT_TRUE(showing.take(batch(3), kFull, kCanvas, at(6s)));
}

TEST(Showing, LeavesOutWhatTheSinksLinkWouldNotTake) {
  Showing showing(PictureForm{.width = 2, .height = 2, .channels = 3, .bytes_max = 11});
  EXPECT_FALSE(showing.take(batch(1), kFull, kCanvas, at(0s)));
}

}  // namespace
}  // namespace stages::collage
