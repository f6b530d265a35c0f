#include "models/research/commands/manifest_template.h"

#include <gmock/gmock.h>

#include "models/serving/manifest_reader.h"

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TemplateFacts facts() {
  return {.name = "mine",
          .weights = "mine.pt",
          .sha256 = std::string(64, 'a'),
          .version = "mine-aaaaaaaa",
          .tile = {.width = 224, .height = 224, .channels = 3},
          .output_form = {},
          .class_names = {"tench", "goldfish"}};
}

TEST(ManifestTemplate, IsAManifestOfWhatWasFound) {
  const Manifest m = parse_manifest(manifest_template(facts()), "mine.yaml");
  EXPECT_EQ(m.name, "mine");
  EXPECT_EQ(m.kind, Kind::single);
  EXPECT_EQ(m.weights, "mine.pt");
  EXPECT_EQ(m.sha256, facts().sha256);
  EXPECT_EQ(m.version, "mine-aaaaaaaa");
  EXPECT_EQ(m.tile, facts().tile);
  EXPECT_EQ(m.output_form, OutputForm{});
  EXPECT_THAT(m.class_names, ElementsAre("tench", "goldfish"));
  // As torchvision prepares pictures for its models of ImageNet.
  EXPECT_EQ(m.preprocess.resize, imaging::Resize::shorter_side);
  EXPECT_EQ(m.preprocess.shorter_side, 256);
  EXPECT_THAT(m.normalisation.mean, ElementsAre(0.485, 0.456, 0.406));
}

TEST(ManifestTemplate, HoldsAnyTextAsItIs) {
  TemplateFacts odd = facts();
  odd.name = "my: net #1";
  odd.weights = "a folder/n: 1.pt";
  odd.class_names = {"yes", "1e3", "a: b", "# c", "\"d\"", "maître d'", "- e"};
  odd.output_form = {.key = "out, 1}", .scores = Scores::probabilities};
  const Manifest m = parse_manifest(manifest_template(odd), "mine.yaml");
  EXPECT_EQ(m.name, odd.name);
  EXPECT_EQ(m.weights, odd.weights);
  EXPECT_EQ(m.class_names, odd.class_names);
  EXPECT_EQ(m.output_form, odd.output_form);
}

TEST(ManifestTemplate, FitsGreyTilesOfAnotherSize) {
  TemplateFacts grey = facts();
  grey.tile = {.width = 28, .height = 28, .channels = 1};
  const Manifest m = parse_manifest(manifest_template(grey), "mine.yaml");
  EXPECT_EQ(m.tile, grey.tile);
  EXPECT_EQ(m.preprocess, imaging::Preprocess{});
  EXPECT_THAT(m.normalisation.mean, ElementsAre(0.5));
}

TEST(ManifestTemplate, MarksWhatTheNetworkDoesNotShow) {
  const std::string text = manifest_template(facts());
  EXPECT_THAT(text, HasSubstr("(?) the network takes this size"));
  EXPECT_THAT(text, HasSubstr("(?) in the order of the network's numbers"));
  TemplateFacts known = facts();
  known.names_are_known = true;
  known.size_is_known = true;
  const std::string less = manifest_template(known);
  EXPECT_THAT(less, Not(HasSubstr("this size")));
  EXPECT_THAT(less, Not(HasSubstr("in the order")));
  EXPECT_THAT(less, HasSubstr("(?) channel = (pixel"));
}

}  // namespace
}  // namespace models
