#include "models/serving/heads/detect.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr float kNotANumber = std::numeric_limits<float>::quiet_NaN();
constexpr float kSure = 20;
constexpr float kNever = -20;

// A map of 2x2 places over a collage of 2x2 tiles of 10 pixels, one anchor of a tile, 2 classes.
DetectShape shape() {
  return {.map_width = 2,
          .map_height = 2,
          .stride = {.width = 10, .height = 10},
          .anchors = {{.width = 10, .height = 10}},
          .classes = 2,
          .score_min = 0.3,
          .overlap_max = 0.5};
}

const imaging::Grid kGrid{.side = 2, .tile_width = 10, .tile_height = 10};

// Rows of tx ty tw th objectness and two class logits, none of which has a box.
std::vector<float> silence() {
  std::vector<float> raw;
  for (int i = 0; i < 4; ++i) {
    for (const float v : {0.0f, 0.0f, 0.0f, 0.0f, kNever, 0.0f, 0.0f}) raw.push_back(v);
  }
  return raw;
}

void set(std::vector<float>& raw, std::size_t row, std::vector<float> values) {
  std::ranges::copy(values, raw.begin() + static_cast<std::ptrdiff_t>(row * 7));
}

TEST(Detections, ABoxLiesWhereItsPlaceAndItsNumbersSay) {
  std::vector<float> raw = silence();
  // sigmoid(ln 3) = 3/4; exp(ln 2) = 2.
  set(raw, 3, {std::log(3.0f), 0, std::log(2.0f), 0, kSure, 0, std::log(4.0f)});
  const std::vector<Detection> found = detections(raw, shape());
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].row, 3u);
  const imaging::Rect& rect = found[0].box.rect;
  EXPECT_NEAR(rect.width, 20, 1e-5);
  EXPECT_NEAR(rect.height, 10, 1e-5);
  EXPECT_NEAR(rect.x + rect.width / 2, 17.5, 1e-5);   // Column 1, three quarters in.
  EXPECT_NEAR(rect.y + rect.height / 2, 15.0, 1e-5);  // Line 1, half in.
  EXPECT_EQ(found[0].box.label, wire::ClassId{1});
  EXPECT_NEAR(found[0].box.score, 0.8, 1e-5);  // Surely there, and 4 : 1 of class 1.
}

TEST(Detections, AnUnsureBoxIsDropped) {
  std::vector<float> raw = silence();
  set(raw, 0, {0, 0, 0, 0, kSure, 0, 0});  // Score 1/2.
  set(raw, 1, {0, 0, 0, 0, 0, 0, 0});      // Score 1/4.
  EXPECT_THAT(detections(raw, shape()), SizeIs(1));
}

TEST(Detections, ARowThatIsNotFiniteGivesNone) {
  for (std::size_t i = 0; i < 7; ++i) {
    std::vector<float> raw = silence();
    set(raw, 0, {0, 0, 0, 0, kSure, 5, 0});
    raw[i] = kNotANumber;
    EXPECT_THAT(detections(raw, shape()), IsEmpty()) << i;
  }
}

Detection at(double x, double score, std::uint64_t label, std::size_t row) {
  return {.box = {.rect = {.x = x, .y = 0, .width = 10, .height = 10},
                  .label = {label},
                  .score = static_cast<float>(score)},
          .row = row};
}

std::vector<std::size_t> rows_of(const std::vector<Detection>& some) {
  std::vector<std::size_t> rows;
  for (const Detection& one : some) rows.push_back(one.row);
  return rows;
}

TEST(Suppress, OfTwoThatOverlapTheBetterStays) {
  // Moved by 2 of 10 they share 8 of 12; by 5, 5 of 15.
  EXPECT_THAT(rows_of(suppress({at(0, 0.5, 1, 0), at(2, 0.9, 1, 1)}, 0.5)), ElementsAre(1));
  EXPECT_THAT(rows_of(suppress({at(0, 0.5, 1, 0), at(5, 0.9, 1, 1)}, 0.5)), ElementsAre(1, 0));
}

TEST(Suppress, BoxesOfOtherClassesDoNotMatter) {
  EXPECT_THAT(rows_of(suppress({at(0, 0.5, 1, 0), at(0, 0.9, 2, 1)}, 0.5)), ElementsAre(1, 0));
}

TEST(Suppress, AmongEqualsTheFirstStays) {
  EXPECT_THAT(rows_of(suppress({at(0, 0.5, 1, 4), at(1, 0.5, 1, 5)}, 0.5)), ElementsAre(4));
}

TEST(Suppress, ABoxThatWasSuppressedSuppressesNone) {
  // The second falls to the first; the third overlaps only the second.
  EXPECT_THAT(rows_of(suppress({at(0, 0.9, 1, 0), at(3, 0.8, 1, 1), at(6, 0.7, 1, 2)}, 0.5)),
              ElementsAre(0, 2));
}

TEST(SlotLogits, AreThoseOfTheBestBoxOfTheCellOrNaNs) {
  std::vector<float> raw = silence();
  set(raw, 0, {0, 0, 0, 0, kSure, 1, 4});
  // Three tiles wide and centred between cells 0 and 1, it covers both alike: the lowest has it.
  set(raw, 1, {-20, 0, std::log(3.0f), 0, kSure, 9, 0});
  set(raw, 3, {0, 0, 0, 0, kSure, 7, 0});
  const std::vector<float> rows = slot_logits(raw, shape(), kGrid);
  ASSERT_THAT(rows, SizeIs(8));
  EXPECT_EQ(rows[0], 9);  // Surer than the 4 : 1 of its own place's box.
  EXPECT_TRUE(std::isnan(rows[2]));
  EXPECT_TRUE(std::isnan(rows[5]));
  EXPECT_EQ(rows[6], 7);
}

}  // namespace
}  // namespace models
