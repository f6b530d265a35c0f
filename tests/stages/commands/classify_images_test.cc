#include "stages/commands/classify_images.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <span>
#include <string_view>

#include "imaging/encode.h"
#include "imaging/library.h"
#include "models/serving/manifest_reader.h"

namespace stages {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class ClassifyImagesTest : public testing::Test {
 protected:
  static wire::Payload image(std::uint8_t level) {
    std::vector<std::uint8_t> pixels(28 * 28, level);
    for (std::size_t i = 0; i < pixels.size() / 2; ++i) pixels[i] = 0;
    return wire::Payload(imaging::encode_png(
        {.width = 28, .height = 28, .channels = 1, .pixels = std::move(pixels)}));
  }
  static wire::Payload no_image() { return wire::Payload(wire::Payload::Bytes(100, 'x')); }
  machine::Outcome classify(machine::Classify job) const {
    return classify_images(network, {}, 3, job);
  }
  static const wire::Verdict& verdict(const machine::Outcome& outcome) {
    return std::get<wire::Verdict>(outcome.what);
  }

  const imaging::Library library;
  const models::Network network{models::load_manifest(std::filesystem::path(COLLAGE_SOURCE_DIR) /
                                                      "models/fashion_single.yaml"),
                                {.together_max = 2}};
};

TEST_F(ClassifyImagesTest, EachOfSeveralHasTheOutcomeThatItHasAlone) {
  const machine::Outcome outcome = classify({image(255), {no_image(), image(90), image(30)}});
  ASSERT_THAT(outcome.more, SizeIs(3));
  EXPECT_EQ(verdict(outcome.more[0]).reason, wire::Reason::not_an_image);
  EXPECT_EQ(outcome.more[0].compute, wire::Duration::zero());
  const std::vector<std::pair<const machine::Outcome*, std::uint8_t>> pictures = {
      {&outcome, 255}, {&outcome.more[1], 90}, {&outcome.more[2], 30}};
  for (const auto& [together, level] : pictures) {
    const machine::Outcome alone = classify({image(level)});
    ASSERT_THAT(verdict(*together).predictions, SizeIs(3));
    EXPECT_EQ(verdict(*together).predictions[0].label, verdict(alone).predictions[0].label);
    EXPECT_NEAR(verdict(*together).predictions[0].probability,
                verdict(alone).predictions[0].probability, 1e-3);
    EXPECT_GT(together->compute, wire::Duration::zero());
    EXPECT_EQ(together->version, network.version());
  }
}

TEST_F(ClassifyImagesTest, WhatIsNoImageIsRejected) {
  const machine::Outcome outcome = classify({no_image(), {no_image()}});
  EXPECT_EQ(verdict(outcome).reason, wire::Reason::not_an_image);
  ASSERT_THAT(outcome.more, SizeIs(1));
  EXPECT_EQ(verdict(outcome.more[0]).reason, wire::Reason::not_an_image);
  EXPECT_THAT(verdict(outcome.more[0]).predictions, IsEmpty());
}

}  // namespace
}  // namespace stages
