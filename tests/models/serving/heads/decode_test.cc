#include "models/serving/heads/decode.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr imaging::Grid kTwo{.side = 2, .tile_width = 100, .tile_height = 100};
constexpr wire::ClassId kCat{3};
constexpr wire::ClassId kDog{5};
constexpr wire::ClassId kEel{7};
constexpr wire::ClassId kFox{0};  // Class 0, which is not 'no answer'.
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Box box(double x, double y, double width, double height, wire::ClassId label, float score) {
  return {
      .rect = {.x = x, .y = y, .width = width, .height = height}, .label = label, .score = score};
}

std::optional<SlotAnswer> answer(wire::ClassId label, float score) {
  return SlotAnswer{.label = label, .score = score};
}

// A square of 3/sqrt(7) cells a side, two thirds of each side in the first cell.
Box over_four_cells() {
  const double third = 100 / std::sqrt(7.0);
  return box(100 - 2 * third, 100 - 2 * third, 3 * third, 3 * third, kCat, 0.9f);
}

TEST(DecodeBoxes, EveryBoxInItsOwnCellIsThatCellsAnswer) {
  const std::vector<Box> boxes = {box(102, 97, 95, 110, kDog, 0.8f), box(2, 3, 95, 90, kCat, 0.9f),
                                  box(110, 0, 85, 99, kEel, 0.7f), box(5, 104, 90, 90, kFox, 0.6f)};
  EXPECT_THAT(decode_boxes(boxes, kTwo), ElementsAre(answer(kCat, 0.9f), answer(kEel, 0.7f),
                                                     answer(kFox, 0.6f), answer(kDog, 0.8f)));
}

TEST(DecodeBoxes, ABoxOverFourCellsHasIndicesOneThirdOneSeventhTwiceAndOneFifteenth) {
  // The paper prints 1/17 for the last, which over equal cells no box can have.
  const double expected[] = {1.0 / 3, 1.0 / 7, 1.0 / 7, 1.0 / 15};
  for (int slot = 0; slot < 4; ++slot) {
    const imaging::Rect cell = imaging::cell(kTwo, static_cast<wire::Slot>(slot));
    EXPECT_NEAR(imaging::jaccard(over_four_cells().rect, cell), expected[slot], 1e-12) << slot;
  }
}

TEST(DecodeBoxes, ABoxOverFourCellsGoesToTheFirstAndLeavesAnUnboxedCellEmpty) {
  const std::vector<Box> boxes = {over_four_cells(), box(100, 0, 100, 100, kDog, 0.8f),
                                  box(0, 100, 100, 100, kEel, 0.7f)};
  EXPECT_THAT(decode_boxes(boxes, kTwo), ElementsAre(answer(kCat, 0.9f), answer(kDog, 0.8f),
                                                     answer(kEel, 0.7f), Eq(std::nullopt)));
}

TEST(DecodeBoxes, OfTwoBoxesInOneCellTheBestScoreWinsInEitherOrder) {
  const Box good = box(5, 5, 90, 90, kCat, 0.9f);
  const Box poor = box(0, 0, 100, 100, kDog, 0.4f);
  const Box middling = box(1, 1, 98, 98, kEel, 0.6f);
  EXPECT_EQ(decode_boxes(std::vector{good, poor, middling}, kTwo)[0], answer(kCat, 0.9f));
  EXPECT_EQ(decode_boxes(std::vector{poor, middling, good}, kTwo)[0], answer(kCat, 0.9f));
}

TEST(DecodeBoxes, AmongEqualScoresTheFirstBoxWins) {
  const std::vector<Box> boxes = {box(0, 0, 100, 100, kDog, 0.5f), box(0, 0, 99, 99, kCat, 0.5f)};
  EXPECT_EQ(decode_boxes(boxes, kTwo)[0], answer(kDog, 0.5f));
}

TEST(DecodeBoxes, ABoxMidwayBetweenCellsBelongsToTheLowestSlot) {
  const std::vector<Box> boxes = {box(50, 50, 100, 100, kCat, 0.9f)};
  EXPECT_THAT(decode_boxes(boxes, kTwo), ElementsAre(answer(kCat, 0.9f), Eq(std::nullopt),
                                                     Eq(std::nullopt), Eq(std::nullopt)));
}

TEST(DecodeBoxes, NoBoxesAreNoAnswersAndNeverClassNought) {
  EXPECT_THAT(decode_boxes({}, kTwo),
              ElementsAre(std::nullopt, std::nullopt, std::nullopt, std::nullopt));
}

TEST(DecodeBoxes, ABoxOutsideOrWithoutAFiniteScoreAnswersNothing) {
  const std::vector<Box> boxes = {box(300, 0, 50, 50, kCat, 0.9f), box(0, 0, 100, 100, kDog, kNan),
                                  box(0, 0, -5, 100, kEel, 0.9f)};
  EXPECT_THAT(decode_boxes(boxes, kTwo),
              ElementsAre(std::nullopt, std::nullopt, std::nullopt, std::nullopt));
}

TEST(TopOf, TheBestClassesComeFirstAndTheLowerAmongEquals) {
  const std::vector<float> p = {0.25f, 0.5f, 0.25f};
  EXPECT_THAT(top_of(p, 3), ElementsAre(wire::Prediction{{1}, 0.5f}, wire::Prediction{{0}, 0.25f},
                                        wire::Prediction{{2}, 0.25f}));
  EXPECT_THAT(top_of(p, 2), SizeIs(2));
  EXPECT_THAT(top_of(p, 99), SizeIs(3));
}

TEST(TopOf, OneValueThatIsNotFiniteIsNoAnswer) {
  EXPECT_THAT(top_of(std::vector{0.1f, kNan, 0.9f}, 3), IsEmpty());
}

TEST(DecodeGrid, EachSlotHasTheBestClassesOfItsRow) {
  const std::vector<float> rows = {0.1f, 0.7f, 0.2f, 0.5f, 0.3f, 0.2f};
  EXPECT_THAT(decode_grid(rows, {false, false}, 1),
              ElementsAre(ElementsAre(wire::Prediction{{1}, 0.7f}),
                          ElementsAre(wire::Prediction{{0}, 0.5f})));
}

TEST(DecodeGrid, ABlankSlotHasNoAnswerHoweverSureTheNetworkIs) {
  const std::vector<float> rows = {0.1f, 0.9f, 0.99f, 0.01f};
  EXPECT_THAT(decode_grid(rows, {false, true}, 1), ElementsAre(SizeIs(1), IsEmpty()));
}

TEST(DecodeGrid, ASlotWithAValueThatIsNotFiniteHasNoAnswerAndItsNeighbourHas) {
  const std::vector<float> rows = {0.1f, kNan, 0.2f, 0.2f, 0.3f, 0.5f};
  EXPECT_THAT(decode_grid(rows, {false, false}, 1), ElementsAre(IsEmpty(), SizeIs(1)));
}

TEST(SaysBlank, OfARowThatIsLikeChance) {
  std::vector<float> row(10, 0.1f);
  EXPECT_TRUE(says_blank(row));
  row[3] = 0.19f;
  EXPECT_TRUE(says_blank(row));
  row[3] = 0.21f;
  EXPECT_FALSE(says_blank(row));
}

TEST(SaysBlank, LeavesRoomBothForTwoClassesAndForManyOfThem) {
  EXPECT_TRUE(says_blank(std::vector{0.55f, 0.45f}));
  EXPECT_FALSE(says_blank(std::vector{0.65f, 0.35f}));
  std::vector<float> thousand(1000, 0.001f);
  EXPECT_TRUE(says_blank(thousand));
  thousand[7] = 0.003f;
  EXPECT_FALSE(says_blank(thousand));
}

TEST(SaysBlank, NotOfARowThatIsNotFinite) { EXPECT_FALSE(says_blank(std::vector{0.1f, kNan})); }

TEST(DecodeGrid, ASlotThatTheNetworkCallsBlankHasNoAnswer) {
  const std::vector<float> rows = {0.34f, 0.33f, 0.33f, 0.8f, 0.1f, 0.1f};
  EXPECT_THAT(decode_grid(rows, {false, false}, 1), ElementsAre(IsEmpty(), SizeIs(1)));
}

}  // namespace
}  // namespace models
