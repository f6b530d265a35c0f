#include "models/research/data/tiling.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <map>

namespace models {
namespace {

using ::testing::Each;
using ::testing::ElementsAreArray;
using ::testing::Ge;

std::vector<std::int64_t> draw(std::size_t images, std::size_t slots, double partial_share,
                               std::uint64_t seed = 1) {
  machine::Rng rng(seed);
  return draw_tilings(images, slots, partial_share, rng);
}

TEST(Tilings, EveryImageAppearsExactlyOnceAnEpoch) {
  for (const double partial_share : {0.0, 0.3, 1.0}) {
    std::vector<std::int64_t> images = draw(1000, 9, partial_share);
    std::erase(images, kBlank);
    std::ranges::sort(images);
    ASSERT_EQ(images.size(), 1000u) << partial_share;
    for (std::int64_t i = 0; i < 1000; ++i) EXPECT_EQ(images[static_cast<std::size_t>(i)], i);
  }
}

TEST(Groups, HaveEveryImageOnceAndAreFilledUpFromTheBeginning) {
  machine::Rng rng(1);
  std::vector<std::int64_t> groups = draw_groups(10, 4, rng);
  ASSERT_EQ(groups.size(), 12u);
  EXPECT_EQ(groups[10], groups[0]);
  EXPECT_EQ(groups[11], groups[1]);
  groups.resize(10);
  EXPECT_FALSE(std::ranges::is_sorted(groups));
  std::ranges::sort(groups);
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(groups[static_cast<std::size_t>(i)], i);
}

TEST(Groups, OfFewerImagesThanAGroupRepeatThem) {
  machine::Rng rng(1);
  EXPECT_THAT(draw_groups(1, 3, rng), ElementsAreArray({0, 0, 0}));
  EXPECT_TRUE(draw_groups(0, 3, rng).empty());
}

TEST(Tilings, EveryClassComesInEveryPositionAboutEquallyOften) {
  constexpr std::int64_t kClasses = 10;
  std::map<std::pair<std::int64_t, std::size_t>, int> count;
  const auto tilings = draw(9000, 9, 0.1);
  for (std::size_t i = 0; i < tilings.size(); ++i) {
    if (tilings[i] != kBlank) ++count[{tilings[i] % kClasses, i % 9}];
  }
  ASSERT_EQ(count.size(), 90u);
  for (const auto& [place, times] : count) {
    EXPECT_GE(times, 60) << "class " << place.first << " position " << place.second;
    EXPECT_LE(times, 145) << "class " << place.first << " position " << place.second;
  }
}

TEST(Tilings, OneSeedGivesOneListAndAnotherSeedAnother) {
  EXPECT_THAT(draw(500, 9, 0.2, 7), ElementsAreArray(draw(500, 9, 0.2, 7)));
  EXPECT_NE(draw(500, 9, 0.2, 7), draw(500, 9, 0.2, 8));
}

TEST(Tilings, OneGeneratorGivesAFreshTilingEachEpoch) {
  machine::Rng rng(1);
  const auto first = draw_tilings(500, 9, 0.2, rng);
  EXPECT_NE(first, draw_tilings(500, 9, 0.2, rng));
}

TEST(Tilings, WithoutPartialCollagesOnlyTheLastHasBlankSlots) {
  const auto tilings = draw(100, 9, 0);
  ASSERT_EQ(tilings.size(), 108u);
  EXPECT_EQ(std::ranges::count(tilings, kBlank), 8);
  EXPECT_EQ(std::ranges::count(std::span(tilings).first(99), kBlank), 0);
}

TEST(Tilings, PartialCollagesHaveOneToAllButOneBlankSlotAtAnyPlace) {
  const auto tilings = draw(9000, 9, 1.0);
  std::array<int, 10> collages{};  // By their number of blank slots.
  std::vector<int> blank_at(9);
  for (std::size_t begin = 0; begin + 9 < tilings.size(); begin += 9) {  // The last may be emptier.
    const auto tiling = std::span(tilings).subspan(begin, 9);
    ++collages[static_cast<std::size_t>(std::ranges::count(tiling, kBlank))];
    for (std::size_t slot = 0; slot < 9; ++slot) blank_at[slot] += tiling[slot] == kBlank;
  }
  EXPECT_EQ(collages[0], 0);
  EXPECT_EQ(collages[9], 0);
  for (std::size_t blanks = 1; blanks <= 8; ++blanks) EXPECT_GT(collages[blanks], 100) << blanks;
  EXPECT_THAT(blank_at, Each(Ge(500)));
}

TEST(Tilings, ASingleIsAnImageAfterAnother) {
  const auto tilings = draw(50, 1, 0.5);
  EXPECT_EQ(tilings.size(), 50u);
  EXPECT_EQ(std::ranges::count(tilings, kBlank), 0);
}

}  // namespace
}  // namespace models
