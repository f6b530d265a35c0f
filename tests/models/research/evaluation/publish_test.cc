#include "models/research/evaluation/publish.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "models/research/evaluation/evaluate.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

class Publish : public ::testing::Test {
 protected:
  Publish() { std::filesystem::remove_all(folder_); }
  ~Publish() override { std::filesystem::remove_all(folder_); }

  Publication publication(Kind kind) {
    Publication p{.name = "toy", .kind = kind, .origin = {}, .folder = folder_};
    p.origin.command = "by hand";
    p.origin.held_back_accuracy = 0.25;
    return p;
  }

  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.is_regular_file()) {
        names.push_back(entry.path().lexically_relative(folder_).generic_string());
      }
    }
    std::ranges::sort(names);
    return names;
  }

  std::filesystem::path folder_ = std::filesystem::path(::testing::TempDir()) /
                                  ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(Publish, WhatItWritesLoadsAndSaysWhatWasMeasured) {
  GridNet net(toy_architecture(2), 1);
  const Manifest published =
      publish(net, publication(Kind::collage), toy_data(40, 2), toy_data(60, 3));
  EXPECT_THAT(files(), ::testing::ElementsAre("toy.yaml", "weights/toy.pt"));
  const Manifest read = load_manifest(folder_ / "toy.yaml");
  EXPECT_EQ(read.sha256, published.sha256);
  EXPECT_EQ(read.origin, published.origin);
  EXPECT_EQ(read.calibration, published.calibration);
  EXPECT_EQ(read.origin.command, "by hand");
  EXPECT_EQ(read.origin.parameters, parameter_count(toy_architecture(2)));
  EXPECT_GT(read.origin.test_accuracy, 0);
  EXPECT_NO_THROW(Network network(read));
}

// Toy pictures are bright to their borders, so what a shift uncovers matters.
TEST_F(Publish, CalibratesOnPicturesThatAreShiftedAsInTraining) {
  GridNet net(toy_architecture(2), 1);
  Dataset data = toy_data(400, 2);
  const Network network(publish(net, publication(Kind::collage), data, std::nullopt));
  const std::vector<float> logits = answer_all(network, data, 1);
  const std::size_t classes = data.class_names.size();
  for (std::size_t i = 0; i < data.size(); ++i) {  // Labels that the network mostly knows.
    if (i % 3 == 0) continue;
    const auto row = std::span(logits).subspan(i * classes, classes);
    data.labels[i] = static_cast<int>(*best_class(row));
  }
  const auto calibrated = [&](bool reflect) {
    Publication p = publication(Kind::collage);
    p.reflect = reflect;
    return publish(net, p, data, std::nullopt).calibration;
  };
  EXPECT_EQ(calibrated(true), calibrated(true));
  EXPECT_NE(calibrated(true), calibrated(false));
}

TEST_F(Publish, ADetectHeadsManifestSaysHowItsBoxesAreRead) {
  Architecture a = toy_architecture(2);
  a.head = Head::detect;
  GridNet net(a, 1);
  publish(net, publication(Kind::collage), toy_data(40, 2), std::nullopt);
  const Manifest read = load_manifest(folder_ / "toy.yaml");
  EXPECT_EQ(read.head, Head::detect);
  EXPECT_EQ(read.detect, detect_shape(a));
  EXPECT_NO_THROW(Network network(read));
}

TEST_F(Publish, WhatDoesNotFitLeavesTheOldFilesAndNothingElse) {
  GridNet net(toy_architecture(2), 1);
  const Manifest old = publish(net, publication(Kind::collage), toy_data(40, 2), std::nullopt);
  GridNet other(toy_architecture(2), 2);
  Dataset wrong = toy_data(40, 2);
  wrong.class_names.push_back("fifth");
  EXPECT_ANY_THROW(publish(other, publication(Kind::collage), wrong, std::nullopt));
  EXPECT_THAT(files(), ::testing::ElementsAre("toy.yaml", "weights/toy.pt"));
  EXPECT_EQ(load_manifest(folder_ / "toy.yaml").sha256, old.sha256);
}

}  // namespace
}  // namespace models
