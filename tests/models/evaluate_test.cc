#include "models/evaluate.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "imaging/tile.h"
#include "models/calibration.h"
#include "models/config.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kImages = 1000;  // The first of the test images.

// What the committed weights answered rightly of those; another processor's rounding may turn an
// image or two.
constexpr int kSingleRight = 946;
constexpr int kCollageRight = 945;
constexpr int kPartialRight = 943;  // In collages with four blank slots.
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

// Collages of which only the first five slots are filled, as a batch closed by its linger.
struct PartialBatches {
  int right = 0;
  float surest_blank = 0;  // The largest probability that any class had in a blank cell.
};

PartialBatches classify_partial_batches(const Network& network, const Dataset& data) {
  constexpr std::size_t kFilled = 5;
  const imaging::Grid grid = network.manifest().layout();
  PartialBatches result;
  for (std::size_t begin = 0; begin + kFilled <= data.size(); begin += kFilled) {
    auto canvas = imaging::new_canvas(grid, 1);
    for (std::size_t slot = 0; slot < kFilled; ++slot) {
      const auto tile = data.tile(begin + slot);
      imaging::paste(
          canvas, grid, 1, static_cast<wire::Slot>(slot),
          {.width = 28, .height = 28, .channels = 1, .pixels = {tile.begin(), tile.end()}});
    }
    const wire::Cells cells = network.classify_collage(canvas, std::vector<bool>(9), 1);
    for (std::size_t slot = 0; slot < 9; ++slot) {
      const wire::Prediction& best = cells.cells[slot].at(0);
      if (slot >= kFilled) {
        result.surest_blank = std::max(result.surest_blank, best.probability);
      } else {
        result.right += best.label.value == static_cast<std::uint64_t>(data.labels[begin + slot]);
      }
    }
  }
  return result;
}

TEST(CommittedWeights, BlankSlotsAreUnsureAndTheirNeighboursAnswerAsRecorded) {
  const PartialBatches seen =
      classify_partial_batches(committed("fashion_collage_3x3.yaml"), sample());
  EXPECT_LT(seen.surest_blank, 0.3f);
  EXPECT_NEAR(seen.right, kPartialRight, kRounding);
}

TEST(AnswerAll, ADataSetOfOtherTilesIsRefused) {
  EXPECT_THAT(
      [] { answer_all(committed("fashion_single.yaml"), toy_data(5, 1), 1); },
      ThrowsMessage<std::runtime_error>(HasSubstr("fashion_single does not fit the data set toy")));
}

TEST(MedianLatencies, TimeEachNetworkByTheClockTheyAreHanded) {
  const Network single = committed("fashion_single.yaml");
  const Network* both[] = {&single, &single};
  // Inferences take 1, 2, 3 ... seconds by this clock, the two networks in turn: 1 3 5 and 2 4 6.
  double now = 0;
  int reading = 0;
  const auto seconds = [&] {
    if (reading++ % 2 == 1) now += (reading / 2);
    return now;
  };
  EXPECT_THAT(median_latencies(both, 3, seconds), ElementsAre(3.0, 4.0));
}

}  // namespace
}  // namespace models
