// What users may get wrong with collage-train: one clear line, exit code 2, nothing half-written.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "imaging/encode.h"
#include "models/serving/manifest_reader.h"
#include "runtime/service/install_paths.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::Ran;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

const std::filesystem::path kModels = std::filesystem::path(COLLAGE_SOURCE_DIR) / "models";

class TrainCli : public testing::Test {
 protected:
  TrainCli() : folder_(system_test::scratch("work")) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }

  // Expects exit code 2 and one line that has `what`, after `said` others, and that no file has
  // appeared.
  void refuses(std::vector<std::string> arguments, const std::string& what, int said = 0) {
    const auto before = files();
    arguments.insert(arguments.begin(), program());
    const Ran ran = system_test::run(arguments, 100s);
    EXPECT_EQ(ran.code, 2) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(what));
    EXPECT_EQ(std::ranges::count(ran.output, '\n'), said + 1) << ran.output;
    EXPECT_EQ(files(), before);
  }

  static std::string program() { return (runtime::program_folder() / "collage-train").string(); }

  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      if (entry.is_regular_file()) names.push_back(entry.path().string());
    }
    std::ranges::sort(names);
    return names;
  }

  std::string in_folder(const std::string& name) const { return (folder_ / name).string(); }

  void write(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

  void write_picture(const std::string& name) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    imaging::write_png(
        folder_ / name,
        {.width = 28, .height = 28, .channels = 1, .pixels = std::vector<std::uint8_t>(784, 90)});
  }

  // `from` the committed s-CNN on the pictures of the folder.
  std::vector<std::string> from(const std::string& manifest) const {
    return {"from",
            "--teacher",
            (kModels / "weights/fashion_single.pt").string(),
            "--manifest",
            manifest,
            "--images",
            in_folder("pictures"),
            "--out",
            in_folder("out"),
            "--run",
            in_folder("run")};
  }

  std::filesystem::path folder_;
};

TEST_F(TrainCli, ADataSetThatIsNotThere) {
  refuses({"train", "--dataset", "cifar10", "--data", folder_.string(), "--run", in_folder("run")},
          "cifar10: not found in " + folder_.string());
}

TEST_F(TrainCli, ADataSetThatIsCutShort) {
  write("cifar-10-batches-bin/data_batch_1.bin", std::string(3073 * 3 - 1, '\1'));
  for (int i = 2; i <= 5; ++i) {
    write("cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin", std::string(3073, '\1'));
  }
  refuses({"train", "--dataset", "cifar10", "--data", folder_.string(), "--run", in_folder("run")},
          "data_batch_1.bin: is cut short");
}

TEST_F(TrainCli, AFolderThatIsNoClass) {
  write_picture("pictures/Bag/0.png");
  write_picture("pictures/Handbag/0.png");
  refuses(from((kModels / "fashion_single.yaml").string()),
          "Handbag/0.png: folder 'Handbag' is no class, expected one of T-shirt/top");
}

TEST_F(TrainCli, ACheckSaysHowAModelIsServedAndWhatItAnswers) {
  write("pictures/0.png", "no picture");
  write_picture("pictures/1.png");
  const auto checked = [&](const char* manifest, std::vector<std::string> more = {}) {
    std::vector<std::string> argv = {program(),
                                     "check",
                                     (kModels / manifest).string(),
                                     "--images",
                                     in_folder("pictures"),
                                     "--out",
                                     in_folder("seen"),
                                     "--count",
                                     "1",
                                     "--top",
                                     "1"};
    argv.insert(argv.end(), more.begin(), more.end());
    return system_test::run(argv, 100s);
  };
  const Ran single = checked("fashion_single.yaml");
  EXPECT_EQ(single.code, 0) << single.output;
  EXPECT_THAT(single.output, HasSubstr(": single, 28x28 pixels, grey, 10 classes\nserved "));
  EXPECT_THAT(single.output, HasSubstr("0.png: not_an_image\n"));
  EXPECT_THAT(single.output, ContainsRegex("1.png: [A-Z][-A-Za-z /]+ [0-9]+\\.[0-9] %\n"));
  EXPECT_TRUE(std::filesystem::exists(in_folder("seen/1_1.png.png")));
  const Ran json = checked("fashion_single.yaml", {"--json"});
  std::istringstream lines(json.output);
  std::string model, broken, picture;
  std::getline(std::getline(std::getline(lines, model), broken), picture);
  EXPECT_TRUE(nlohmann::json::parse(model).contains("form")) << json.output;
  EXPECT_EQ(nlohmann::json::parse(broken)["rejected"], "not_an_image");
  const nlohmann::json top = nlohmann::json::parse(picture).at("top").at(0);
  EXPECT_THAT(single.output, HasSubstr("1.png: " + top.at("class").get<std::string>() + " "));
  EXPECT_GT(top.at("probability"), 0.1);
  const Ran collage = checked("fashion_collage_3x3.yaml");
  EXPECT_EQ(collage.code, 2);
  EXPECT_THAT(collage.output, HasSubstr("is a collage of 9 tiles, but --images needs"));
}

TEST_F(TrainCli, WhatBfloat16CostsIsNotedInTheManifest) {
  const models::Manifest before = models::load_manifest(kModels / "fashion_single.yaml");
  std::filesystem::create_directories(folder_ / "weights");
  std::filesystem::copy_file(before.weights, folder_ / "weights/fashion_single.pt");
  std::filesystem::copy_file(kModels / "fashion_single.yaml", folder_ / "my.yaml");
  write_picture("pictures/Bag/0.png");
  write_picture("pictures/Coat/0.png");
  const Ran ran = system_test::run(
      {program(), "quantise", in_folder("my.yaml"), "--images", in_folder("pictures")}, 100s);
  EXPECT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("2 images, "));
  const models::Manifest after = models::load_manifest(folder_ / "my.yaml");
  EXPECT_EQ(after.bfloat16.images, 2u);
  EXPECT_TRUE(std::filesystem::equivalent(after.weights, folder_ / "weights/fashion_single.pt"));
  EXPECT_EQ(after.calibration, before.calibration);
  EXPECT_EQ(after.origin, before.origin);
}

TEST_F(TrainCli, AFolderOfWhichNothingDecodes) {
  write("pictures/0.png", "no picture");
  write("pictures/1.png", "nor is this");
  refuses(from((kModels / "fashion_single.yaml").string()),
          "has no pictures (0.png: not_an_image)");
}

TEST_F(TrainCli, AManifestWhoseWeightsDoNotMatch) {
  write_picture("pictures/0.png");
  refuses(from((kModels / "fashion_collage_3x3.yaml").string()), "is no single-image model");
  std::ifstream in(kModels / "fashion_single.yaml");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto at = text.find("sha256: \"") + 9;
  text.replace(at, 64, std::string(64, '0'));
  write("other.yaml", text);
  refuses(from(in_folder("other.yaml")), "fashion_single.pt: sha256 is ");
}

TEST_F(TrainCli, ATeacherWhoseOutputIsNotTheClassCount) {
  write_picture("pictures/0.png");
  std::ifstream in(kModels / "fashion_single.yaml");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  text.replace(text.find("\"Ankle boot\""), 12, "\"Ankle boot\", \"Hat\"");
  write("eleven.yaml", text);
  refuses(from(in_folder("eleven.yaml")),
          "gives 10 numbers for a tile, but its manifest names 11 classes");
}

TEST_F(TrainCli, ACheckpointThatIsDamaged) {
  write("run/checkpoint.pt", "no checkpoint");
  refuses({"train", "--model", "small", "--grid", "5", "--epochs", "1", "--run", in_folder("run"),
           "--teacher", (kModels / "fashion_single.yaml").string()},
          "checkpoint.pt: is damaged or no checkpoint", 1);
}

TEST_F(TrainCli, ACheckpointOfAnotherArchitecture) {
  for (int i = 0; i < 60; ++i) write_picture("pictures/" + std::to_string(i) + ".png");
  std::vector<std::string> arguments = from((kModels / "fashion_single.yaml").string());
  arguments.insert(arguments.end(), {"--epochs", "1", "--grid", "2"});
  std::vector<std::string> begun = arguments;
  begun.insert(begun.begin(), program());
  const Ran first = system_test::run(begun, 100s);
  ASSERT_EQ(first.code, 0) << first.output;
  arguments.back() = "3";
  refuses(arguments, "checkpoint.pt: is of another run",
          2);  // What is trained, and that 60 are few.
}

TEST_F(TrainCli, AnExportOfARunThatHasNotFinished) {
  refuses({"export", "--model", "small", "--run", in_folder("run"), "--out", in_folder("out")},
          "run.json: missing; has the training run finished?");
}

TEST_F(TrainCli, AWordThatNoVerbKnows) {
  refuses({"train", "--model", "triple"}, "triple");
  refuses({"trian"}, "did you mean train?");
  refuses({"train", "--grid", "6"}, "6");
}

}  // namespace
