#include "models/serving/manifest.h"

#include <gmock/gmock.h>

#include <functional>

#include "models/serving/manifest_reader.h"

namespace models {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Manifest collage() {
  return {.name = "fashion \"3x3\"",
          .kind = Kind::collage,
          .dataset = "fashion",
          .grid = 3,
          .weights = "weights/fashion_collage_3x3.pt",
          .sha256 = std::string(64, 'a'),
          .version = "collage-3x3-aaaaaaaa",
          .tile = {.width = 28, .height = 28, .channels = 1},
          .normalisation = {.mean = {0.286}, .deviation = {0.353}},
          .calibration = {.temperature = 1.0625, .slope = 0.125},
          .class_names = {"T-shirt/top", "Trouser", "yes", "null", "a: b, [c]"},
          .origin = {.command = "collage-train train --model collage",
                     .seed = 1,
                     .threads = 2,
                     .held_back_accuracy = 0.9375,
                     .test_accuracy = 0.1,
                     .test_ece = 0.015625,
                     .sample_right = 934,
                     .mmac = 82.3,
                     .parameters = 172026}};
}

// The text of the collage's manifest with its first `from` replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = manifest_text(collage());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

auto refused(const std::string& what) { return ThrowsMessage<std::runtime_error>(HasSubstr(what)); }

TEST(Manifest, WhatIsWrittenReadsBackEqual) {
  const Manifest wanted = collage();
  const Manifest read = parse_manifest(manifest_text(wanted), "models/x.yaml");
  EXPECT_EQ(read.name, wanted.name);
  EXPECT_EQ(read.kind, Kind::collage);
  EXPECT_EQ(read.dataset, wanted.dataset);
  EXPECT_EQ(read.grid, 3);
  EXPECT_EQ(read.sha256, wanted.sha256);
  EXPECT_EQ(read.version, wanted.version);
  EXPECT_EQ(read.tile, wanted.tile);
  EXPECT_EQ(read.normalisation, wanted.normalisation);
  EXPECT_EQ(read.calibration, wanted.calibration);
  EXPECT_EQ(read.class_names, wanted.class_names);
  EXPECT_EQ(read.origin, wanted.origin);
}

TEST(Manifest, WhatTheNetworkReturnsReadsBackEqual) {
  Manifest wanted = collage();
  wanted.output_form = {.key = "out", .scores = Scores::probabilities};
  EXPECT_EQ(parse_manifest(manifest_text(wanted), "m.yaml").output_form, wanted.output_form);
  EXPECT_FALSE(answer_alike(collage(), wanted));
  EXPECT_EQ(manifest_text(collage()).find("output:"), std::string::npos);
}

TEST(Manifest, WhatBfloat16CostsReadsBackEqualAndDecidesHowItIsServed) {
  Manifest wanted = collage();
  EXPECT_FALSE(negligible(wanted.bfloat16));  // It has not been measured.
  wanted.bfloat16 = {.lost = -0.0004, .images = 5000};
  EXPECT_EQ(parse_manifest(manifest_text(wanted), "m.yaml").bfloat16, wanted.bfloat16);
  EXPECT_TRUE(negligible(wanted.bfloat16));
  EXPECT_FALSE(negligible({.lost = 0.001, .images = 5000}));
  EXPECT_FALSE(answer_alike(collage(), wanted));
  EXPECT_EQ(manifest_text(collage()).find("bfloat16:"), std::string::npos);
}

TEST(Manifest, ADetectHeadSaysHowItsBoxesAreRead) {
  Manifest wanted = collage();
  wanted.head = Head::detect;
  wanted.detect = {.map_width = 11,
                   .map_height = 11,
                   .stride = {.width = 84.0 / 11, .height = 84.0 / 11},
                   .anchors = {{14, 14}, {28, 28}, {42, 42}},
                   .classes = 5,
                   .score_min = 0.125,
                   .overlap_max = 0.25};
  const Manifest read = parse_manifest(manifest_text(wanted), "models/x.yaml");
  EXPECT_EQ(read.head, Head::detect);
  EXPECT_EQ(read.detect, wanted.detect);
  EXPECT_EQ(read.outputs(), 11u * 11 * 3 * (5 + 5));
  std::string text = manifest_text(wanted);
  text.replace(text.find("map_width: 11"), 13, "map_width: 0");
  EXPECT_THAT([&] { parse_manifest(text, "m.yaml"); }, refused("map_width"));
}

TEST(Manifest, AParityModelSaysItsCodeAndForHowManyImagesItStands) {
  Manifest wanted = collage();
  wanted.kind = Kind::parity;
  wanted.grid = 1;
  wanted.parity_code = "addition";
  wanted.parity_images = 2;
  const Manifest read = parse_manifest(manifest_text(wanted), "models/x.yaml");
  EXPECT_EQ(read.kind, Kind::parity);
  EXPECT_EQ(read.parity_code, "addition");
  EXPECT_EQ(read.parity_images, 2);
  wanted.parity_code = "substraction";
  EXPECT_THAT([&] { parse_manifest(manifest_text(wanted), "m.yaml"); }, refused("parity.code"));
}

TEST(Manifest, WeightsAreFoundBesideTheManifest) {
  EXPECT_EQ(parse_manifest(manifest_text(collage()), "models/x.yaml").weights,
            "models/weights/fashion_collage_3x3.pt");
}

// The manifest with these lines as its section `preprocess`.
imaging::Preprocess preprocess_of(const std::string& lines) {
  return parse_manifest(changed("normalisation:", "preprocess:\n" + lines + "normalisation:"),
                        "m.yaml")
      .preprocess;
}

TEST(Manifest, WithoutPreprocessingHasTheDefaultsAndDoesNotWriteThem) {
  EXPECT_EQ(preprocess_of(""), imaging::Preprocess{});
  EXPECT_THAT(manifest_text(collage()), testing::Not(HasSubstr("preprocess")));
}

TEST(Manifest, PreprocessingThatIsWrittenReadsBackEqual) {
  Manifest wanted = collage();
  wanted.preprocess = {.resize = imaging::Resize::shorter_side,
                       .shorter_side = 36,
                       .interpolation = imaging::Interpolation::bicubic,
                       .antialias = false,
                       .padding = {1, 2, 3},
                       .background = imaging::Background::colour,
                       .background_colour = {255, 254, 253},
                       .icc = imaging::Icc::ignored};
  wanted.normalisation.range = 255;
  wanted.normalisation.order = ChannelOrder::bgr;
  const Manifest read = parse_manifest(manifest_text(wanted), "m.yaml");
  EXPECT_EQ(read.preprocess, wanted.preprocess);
  EXPECT_EQ(read.normalisation, wanted.normalisation);
  wanted.preprocess = {.resize = imaging::Resize::exact, .crop = 0.875};
  EXPECT_EQ(parse_manifest(manifest_text(wanted), "m.yaml").preprocess, wanted.preprocess);
  wanted.preprocess = {.resize = imaging::Resize::fit,
                       .interpolation = imaging::Interpolation::area};
  EXPECT_EQ(parse_manifest(manifest_text(wanted), "m.yaml").preprocess, wanted.preprocess);
}

TEST(Manifest, TheShorterSideFollowsFromTheCropAsInTimm) {
  EXPECT_EQ(preprocess_of("  resize: shorter_side\n  crop: 0.9\n").shorter_side, 31);
  EXPECT_EQ(preprocess_of("  resize: shorter_side\n").shorter_side, 28);
  EXPECT_EQ(preprocess_of("  resize: shorter_side\n  size: 64\n").shorter_side, 64);
  EXPECT_EQ(preprocess_of("  resize: cover\n  crop: 0.5\n").crop, 0.5);
}

TEST(Manifest, PreprocessingThatContradictsItselfIsRefused) {
  EXPECT_THAT([] { preprocess_of("  resize: shorter_side\n  crop: 0.5\n  size: 40\n"); },
              refused("preprocess.crop: gives a shorter side of 56 pixels, size another"));
  EXPECT_THAT([] { preprocess_of("  resize: cover\n  size: 40\n"); }, refused("preprocess.size"));
  EXPECT_THAT([] { preprocess_of("  resize: fit\n  crop: 0.5\n"); }, refused("preprocess.crop"));
  EXPECT_THAT([] { preprocess_of("  background_colour: [1, 2, 3]\n"); },
              refused("preprocess.background_colour"));
  EXPECT_THAT([] { preprocess_of("  padding: [1, 2]\n"); }, refused("preprocess.padding"));
  EXPECT_THAT([] { preprocess_of("  padding: [1, 2, 256]\n"); }, refused("preprocess.padding"));
  EXPECT_THAT([] { preprocess_of("  interpolation: nearest\n"); },
              refused("preprocess.interpolation"));
}

TEST(Manifest, AMistakeIsNamedWithFileAndKey) {
  const auto parse = [](const std::string& text) { parse_manifest(text, "m.yaml"); };
  EXPECT_THAT([&] { parse(changed("temperature:", "temprature:")); }, refused("temprature"));
  EXPECT_THAT([&] { parse(changed("temperature_slope: 0.125", "temperature_slope: -1")); },
              refused("temperature_slope"));
  EXPECT_THAT([&] { parse(changed("kind: collage", "kind: colage")); }, refused("m.yaml:2:"));
  EXPECT_THAT([&] { parse(changed("grid: 3", "grid: 6")); }, refused("grid"));
  EXPECT_THAT([&] { parse(changed("grid: 3", "grid: 1")); }, refused("grid"));
  EXPECT_THAT([&] { parse(changed(std::string(64, 'a'), "abc")); }, refused("sha256"));
  EXPECT_THAT([&] { parse(changed("[0.286]", "[0.286, 0.3]")); }, refused("normalisation.mean"));
  EXPECT_THAT([&] { parse(changed("[0.353]", "[0]")); }, refused("normalisation.deviation"));
  EXPECT_THAT([&] { parse(changed("[0.353]", "[nan]")); }, refused("normalisation.deviation"));
  EXPECT_THAT([&] { parse(changed("channels: 1", "channels: 2")); }, refused("channels"));
}

TEST(Manifest, ASinglesModelSaysGridNoughtAndACollagesItsSide) {
  Manifest m = collage();
  EXPECT_EQ(m.model().grid, 3);
  m.kind = Kind::single;
  m.grid = 1;
  EXPECT_EQ(m.model().grid, 0);
  EXPECT_EQ(m.model().labels_hash, wire::labels_hash(m.class_names));
}

TEST(Manifest, OfWhatAnswersOtherwiseIsNotAlike) {
  const auto unlike = [](const std::function<void(Manifest&)>& change) {
    Manifest other = collage();
    change(other);
    return !answer_alike(collage(), other);
  };
  EXPECT_FALSE(unlike([](Manifest& m) { m.origin.test_accuracy = 0.5; }));
  EXPECT_TRUE(unlike([](Manifest& m) { m.version = "other"; }));
  EXPECT_TRUE(unlike([](Manifest& m) { m.sha256[0] = 'b'; }));
  EXPECT_TRUE(unlike([](Manifest& m) { m.calibration.slope = 0.25; }));
  EXPECT_TRUE(unlike([](Manifest& m) { m.normalisation.mean[0] = 0.25; }));
  EXPECT_TRUE(unlike([](Manifest& m) { m.normalisation.order = ChannelOrder::bgr; }));
  EXPECT_TRUE(unlike([](Manifest& m) { m.preprocess.antialias = false; }));
}

TEST(Manifest, AVersionNamesKindAndHash) {
  EXPECT_EQ(version_of(Kind::single, Head::grid, 1, "0123456789abcdef"), "single-01234567");
  EXPECT_EQ(version_of(Kind::collage, Head::grid, 4, "0123456789ab"), "collage-4x4-01234567");
  EXPECT_EQ(version_of(Kind::collage, Head::detect, 3, "0123456789ab"), "detect-3x3-01234567");
  EXPECT_EQ(version_of(Kind::parity, Head::grid, 1, "0123456789ab"), "parity-01234567");
}

}  // namespace
}  // namespace models
