#include "replay/commands/samples.h"

#include <algorithm>
#include <set>

#include "tests/models/research/data/scratch.h"

namespace replay {
namespace {

using models::Bytes;
using models::bytes_of;
using models::png;
using Names = std::vector<std::string>;

class OwnSamples : public models::Scratch {
 protected:
  OwnSamples() {
    for (std::uint8_t shade = 0; shade < 20; ++shade) {
      put("pets/" + std::string(shade % 2 == 0 ? "cat/" : "dog/") + std::to_string(shade) + ".png",
          png(9, 9, {shade}));
    }
  }

  static Names labels(const std::vector<Sample>& samples) {
    Names names;
    for (const Sample& sample : samples) names.push_back(sample.label);
    return names;
  }
  static std::vector<Bytes> images(const std::vector<Sample>& samples) {
    std::vector<Bytes> all;
    for (const Sample& sample : samples) {
      const auto bytes = sample.image.bytes();
      all.emplace_back(bytes.begin(), bytes.end());
    }
    return all;
  }

  const std::filesystem::path pets_ = folder_ / "pets";
};

TEST_F(OwnSamples, AreTheFilesAsTheyAreInAnOrderOfTheSeed) {
  const std::vector<Sample> samples = own_samples(pets_, Names{"dog", "cat"}, 20, 1);
  const std::vector<Bytes> all = images(samples);
  EXPECT_EQ(std::set<Bytes>(all.begin(), all.end()).size(), 20u);
  EXPECT_EQ(std::ranges::count(labels(samples), "cat"), 10);
  for (std::size_t i = 0; i < 20; ++i) {
    const bool cat = samples[i].label == "cat";
    bool found = false;
    for (std::uint8_t shade = cat ? 0 : 1; shade < 20; shade += 2) {
      found = found || all[i] == png(9, 9, {shade});
    }
    EXPECT_TRUE(found) << i;
  }
  EXPECT_EQ(images(own_samples(pets_, Names{"dog", "cat"}, 20, 1)), all);
  EXPECT_NE(images(own_samples(pets_, Names{"dog", "cat"}, 20, 2)), all);
}

TEST_F(OwnSamples, AreDrawnFromAllAndRepeatedWhereThereAreFewer) {
  EXPECT_EQ(own_samples(pets_, std::nullopt, 5, 1).size(), 5u);
  const std::vector<Bytes> more = images(own_samples(pets_, std::nullopt, 50, 1));
  ASSERT_EQ(more.size(), 50u);
  for (std::size_t i = 20; i < 50; ++i) EXPECT_EQ(more[i], more[i - 20]);
}

TEST_F(OwnSamples, LeaveOutWhatIsNoPictureOrDamaged) {
  put("pets/README.txt", bytes_of("notes"));
  Bytes cut = png(90, 90, {1, 2, 3});
  cut.resize(cut.size() / 2);
  put("pets/cat/cut.png", cut);
  const std::vector<Bytes> all = images(own_samples(pets_, Names{"dog", "cat"}, 100, 1));
  EXPECT_EQ(std::ranges::count(all, cut), 0);
}

TEST_F(OwnSamples, AreRefusedInAFolderThatIsNoClassUnlessLabelsDoNotMatter) {
  EXPECT_THAT([&] { own_samples(pets_, Names{"dog"}, 20, 1); },
              fails_with(pets_, "is not in a folder that is named as a class of the s-CNN"));
  EXPECT_EQ(own_samples(pets_, std::nullopt, 20, 1).size(), 20u);
}

TEST_F(OwnSamples, ASourceWithoutPicturesIsRefused) {
  put("texts/cat/a.txt", bytes_of("notes"));
  EXPECT_THAT([&] { own_samples(folder_ / "texts", std::nullopt, 1, 1); },
              fails_with(folder_ / "texts", "has no pictures"));
}

}  // namespace
}  // namespace replay
