#include "models/evaluate.h"

#include <gmock/gmock.h>

#include "models/calibration.h"
#include "models/config.h"

namespace models {
namespace {

constexpr std::size_t kImages = 1000;  // The first of the test images.

// What the committed weights answered rightly of those; another processor's rounding may turn an
// image or two.
constexpr int kSingleRight = 0;
constexpr int kCollageRight = 0;
constexpr int kRounding = 2;

Dataset sample() {
  const Dataset test = load_fashion_mnist(fashion_mnist_folder(), Part::test);
  std::vector<std::size_t> first(kImages);
  for (std::size_t i = 0; i < kImages; ++i) first[i] = i;
  return select(test, first);
}

Network committed(const std::string& name) {
  return Network(load_manifest(std::filesystem::path(COLLAGE_SOURCE_DIR) / "models" / name));
}

int right(const Network& network, const Dataset& data) {
  const std::vector<float> logits = answer_all(network, data, 1);
  const double share = accuracy(logits, data.labels, data.class_names.size());
  return static_cast<int>(share * kImages + 0.5);
}

TEST(CommittedWeights, TheSingleAnswersTheSampleAsRecorded) {
  EXPECT_NEAR(right(committed("fashion_single.yaml"), sample()), kSingleRight, kRounding);
}

TEST(CommittedWeights, TheCollageAnswersTheSampleAsRecorded) {
  EXPECT_NEAR(right(committed("fashion_collage_3x3.yaml"), sample()), kCollageRight, kRounding);
}

TEST(CommittedWeights, TheirManifestsRecordTheRequiredAccuracies) {
  EXPECT_GE(committed("fashion_single.yaml").manifest().origin.test_accuracy, 0.930);
  EXPECT_GE(committed("fashion_collage_3x3.yaml").manifest().origin.test_accuracy, 0.915);
}

TEST(CommittedWeights, BothNameTheSameClassesInTheSameOrder) {
  EXPECT_EQ(committed("fashion_single.yaml").manifest().model().labels_hash,
            committed("fashion_collage_3x3.yaml").manifest().model().labels_hash);
}

TEST(CommittedWeights, ABlankSlotIsUnsureAndItsNeighboursAnswerAsWell) {
  const Network network = committed("fashion_collage_3x3.yaml");
  const std::vector<std::uint8_t> blank(network.manifest().input().bytes(), 0);
  const wire::Cells cells = network.classify_collage(blank, std::vector<bool>(9), 1);
  for (const wire::Predictions& cell : cells.cells) EXPECT_LT(cell.at(0).probability, 0.5f);
}

}  // namespace
}  // namespace models
