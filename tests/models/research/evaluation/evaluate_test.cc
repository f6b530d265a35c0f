#include "models/research/evaluation/evaluate.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <numeric>
#include <thread>

#include "models/research/data/sources.h"
#include "models/serving/manifest_reader.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Another processor's rounding may turn an image or two of the sample.
constexpr int kRounding = 2;
constexpr std::uint64_t kSeed = 1;  // As the manifests were measured.

const std::filesystem::path kModels = std::filesystem::path(COLLAGE_SOURCE_DIR) / "models";

std::vector<Manifest> manifests(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Manifest> all;
  for (const auto& file : files) all.push_back(load_manifest(file));
  return all;
}

Manifest committed(const std::string& name) { return load_manifest(kModels / (name + ".yaml")); }

Dataset first_images(std::size_t count) {
  std::vector<std::size_t> first(count);
  std::iota(first.begin(), first.end(), std::size_t{0});
  return select(load_fashion_mnist(fashion_mnist_folder(), Part::test), first);
}

// There must be `models_min` of them.
void expect_the_sample_as_recorded(const std::string& dataset, const Dataset& test,
                                   int models_min) {
  int models = 0;
  for (const auto& folder : {kModels, kModels / "research/baselines"}) {
    for (const Manifest& m : manifests(folder)) {
      if (m.dataset != dataset || m.kind == Kind::parity) continue;
      EXPECT_NEAR(sample_right(Network(m), test, kSeed), m.origin.sample_right, kRounding)
          << m.name;
      ++models;
    }
  }
  EXPECT_GE(models, models_min) << dataset;
}

TEST(CommittedWeights, OfFashionMnistAnswerTheSampleAsRecorded) {
  expect_the_sample_as_recorded("fashion", load_fashion_mnist(fashion_mnist_folder(), Part::test),
                                10);
}

TEST(CommittedWeights, OfCifarAnswerTheSampleAsRecorded) {
  const char* folder = std::getenv("COLLAGE_DATA");
  const auto source = find_source(
      "cifar10", Part::test, folder == nullptr ? std::nullopt : std::optional(std::string(folder)));
  if (!source) GTEST_SKIP() << "CIFAR-10 is not here; COLLAGE_DATA says where";
  expect_the_sample_as_recorded("cifar10", load(*source), 9);
}

// Of two, for it takes all test images.
TEST(CommittedWeights, AreAsCalibratedAsTheirManifestsSay) {
  const Dataset test = load_fashion_mnist(fashion_mnist_folder(), Part::test);
  for (const char* name : {"fashion_collage_3x3", "fashion_collage_5x5"}) {
    const Manifest m = committed(name);
    const Score got = score(Network(m), test, kSeed);
    EXPECT_NEAR(got.ece, m.origin.test_ece, 1e-3) << name;
    EXPECT_NEAR(got.accuracy, m.origin.test_accuracy, 1e-3) << name;
  }
}

// A stage serves from another thread than the one that loaded.
TEST(CommittedWeights, AnswerOnTheThreadThatAsksAlone) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const Network network(committed("fashion_collage_3x3"));
  const std::vector<std::uint8_t> canvas(network.manifest().input().bytes(), 100);
  std::ptrdiff_t before = 0, after = 0;
  std::thread([&] {
    before = threads();
    EXPECT_FALSE(network.classify_collage(canvas, std::vector<bool>(9, false), 1).cells.empty());
    after = threads();
  }).join();
  EXPECT_EQ(after, before);
}

double points(const std::string& name) { return 100 * committed(name).origin.test_accuracy; }

std::string sides(int side) { return std::to_string(side) + "x" + std::to_string(side); }

TEST(CommittedWeights, TheirManifestsRecordTheRequiredAccuracies) {
  EXPECT_GE(points("cifar10_single"), 90.5);
  EXPECT_GE(points("fashion_single"), 94.0);
  const std::map<std::string, std::vector<double>> lost_max = {// By 2x2 to 5x5.
                                                               {"fashion", {0.4, 0.7, 1.1, 1.8}},
                                                               {"cifar10", {1.2, 2.2, 3.5, 5.0}}};
  for (const auto& [dataset, points_max] : lost_max) {
    for (int side = 2; side <= 5; ++side) {
      EXPECT_LE(points(dataset + "_single") - points(dataset + "_collage_" + sides(side)),
                points_max[static_cast<std::size_t>(side - 2)])
          << dataset << " " << side;
    }
  }
  EXPECT_LE(points("fashion_collage_3x3") - points("fashion_detect_3x3"), 1.5);
}

TEST(CommittedWeights, ACollageIsNearlyAsGoodAsASmallSingleOfItsCostAnImage) {
  for (int side = 2; side <= 5; ++side) {
    for (const std::string dataset : {"fashion", "cifar10"}) {
      EXPECT_GE(points(dataset + "_collage_" + sides(side)),
                points("research/baselines/" + dataset + "_small_" + sides(side)) - 0.5)
          << dataset << side;
    }
  }
}

TEST(CommittedWeights, AreCalibratedAndSmall) {
  std::uintmax_t bytes = 0;
  for (const auto& folder : {kModels, kModels / "research/baselines"}) {
    for (const Manifest& m : manifests(folder)) {
      EXPECT_LE(m.origin.test_ece, 0.02) << m.name;
      bytes += std::filesystem::file_size(m.weights);
    }
  }
  EXPECT_LE(bytes, 40'000'000u);
}

TEST(CommittedWeights, OfADataSetNameTheSameClassesInTheSameOrder) {
  for (const Manifest& m : manifests(kModels)) {
    EXPECT_EQ(m.model().labels_hash, committed(m.dataset + "_single").model().labels_hash)
        << m.name;
  }
}

TEST(CommittedWeights, BlankSlotsAreRecognisedAndCostTheirNeighboursLittle) {
  const BlankScore got = score_blanks(Network(committed("fashion_collage_3x3")),
                                      first_images(2 * kSampleImages), kSeed, 1);
  EXPECT_GE(got.blank_recall, 0.999);
  EXPECT_LE(got.false_blank_rate, 0.001);
  EXPECT_LE(got.cost_points, 0.5);  // Of 2,000 images; `collage-train eval` takes all of them.
}

TEST(ScoreBlanks, CountsBlankSlotsFoundAndImagesCalledBlank) {
  const Manifest m = committed("fashion_collage_3x3");
  Manifest hot = m;
  hot.calibration.temperature = 100;  // Every answer like chance.
  const BlankScore got = score_blanks(Network(hot), first_images(90), kSeed, 1);
  EXPECT_EQ(got.blank_recall, 1);
  EXPECT_EQ(got.false_blank_rate, 1);
  EXPECT_EQ(got.cost_points, 0);
}

TEST(ScoreBlanks, TheCostsErrorIsThatOfTheMeanOfTheRounds) {
  const Network network(committed("fashion_collage_3x3"));
  const BlankScore first = score_blanks(network, first_images(900), kSeed, 1);
  const BlankScore both = score_blanks(network, first_images(900), kSeed, 2);
  EXPECT_EQ(first.cost_error, 0);
  EXPECT_GT(both.cost_error, 0);
  EXPECT_NEAR(both.cost_error, std::abs(both.cost_points - first.cost_points), 1e-9);
}

TEST(AnswerAll, ADataSetOfOtherTilesIsRefused) {
  EXPECT_THAT(
      [] { answer_all(Network(committed("fashion_single")), toy_data(5, 1), 1); },
      ThrowsMessage<std::runtime_error>(HasSubstr("fashion_single does not fit the data set toy")));
}

TEST(MedianLatencies, TimeEachNetworkByTheClockTheyAreHanded) {
  const Network single(committed("fashion_single"));
  const Dataset images = first_images(2);
  const Timed both[] = {{&single, &images}, {&single, &images}};
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
