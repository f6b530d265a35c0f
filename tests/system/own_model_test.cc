// A user's own s-CNN, exported by PyTorch: a collage-CNN is made for it, and both serve.
#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::LivePipeline;
using system_test::program;
using system_test::Ran;
using testing::HasSubstr;

// What export_model.py leaves of a kind, a folder for each test.  The program runs once, for
// PyTorch takes a quarter of a minute.
std::filesystem::path exported(const std::string& kind) {
  static std::map<std::string, std::filesystem::path> originals;
  const std::filesystem::path folder = system_test::scratch("model");
  std::filesystem::remove_all(folder);
  std::filesystem::path& original = originals[kind];
  if (original.empty()) {
    original = system_test::scratch("exported_" + kind);
    std::filesystem::remove_all(original);
    const std::string script = std::string(COLLAGE_SOURCE_DIR) + "/tests/system/export_model.py";
    const Ran ran = system_test::run({"/usr/bin/python3", script, kind, original.string()}, 200s);
    EXPECT_EQ(ran.code, 0) << ran.output;
  }
  std::filesystem::copy(original, folder, std::filesystem::copy_options::recursive);
  return folder;
}

Ran collage_from(const std::filesystem::path& model, const std::filesystem::path& images,
                 std::vector<std::string> more, const std::string& teacher = "scnn.pt") {
  std::vector<std::string> argv = {program("collage-train"),
                                   "from",
                                   "--teacher",
                                   (model / teacher).string(),
                                   "--manifest",
                                   (model / teacher).replace_extension(".yaml").string(),
                                   "--images",
                                   images.string(),
                                   "--out",
                                   (model / "made").string(),
                                   "--run",
                                   (model / "run").string()};
  argv.insert(argv.end(), more.begin(), more.end());
  // 20 s on a host of its own; a tenth of that speed has been seen.
  return system_test::run(argv, 600s);
}

wire::Payload body(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  return wire::Payload(wire::Payload::Bytes(bytes.begin(), bytes.end()));
}

// The best label of each picture of a folder, in order of file name, as the pipeline answers.
std::vector<std::string> answers(LivePipeline& pipeline, const std::filesystem::path& folder,
                                 std::size_t count) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry);
  std::ranges::sort(files);
  files.resize(count);
  std::vector<std::string> labels(count);
  producer::Connection connection(pipeline.producers());
  for (std::size_t i = 0; i < count; ++i) {
    (void)connection.submit(body(files[i]), [&, i](const producer::Delivered& d) {
      if (d.result.status == wire::ResultStatus::answered) {
        labels[i] = d.result.predictions.front().name;
      }
    });
  }
  EXPECT_EQ(connection.close(60s), 0u);
  return labels;
}

TEST(OwnModel, ACollageIsTaughtWithoutLabelsAndBothServe) {
  const std::filesystem::path model = exported("trained");
  std::ofstream(model / "pictures" / "README.txt") << "no picture";
  const Ran made =
      collage_from(model, model / "pictures", {"--grid", "2", "--tile", "32", "--epochs", "3"});
  ASSERT_EQ(made.code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("1 file is skipped: README.txt: not_an_image"));
  EXPECT_THAT(made.output, HasSubstr("200 pictures without labels"));
  EXPECT_THAT(made.output, HasSubstr("20 held-back pictures (without labels)"));
  EXPECT_THAT(made.output, HasSubstr("enough to answer for the s-CNN"));
  const std::filesystem::path manifest = model / "made" / "scnn_collage_2x2.yaml";
  EXPECT_GT(models::load_manifest(manifest).origin.held_back_accuracy, 0.9) << made.output;

  const Ran judged =
      system_test::run({program("collage-train"), "eval", (model / "scnn.yaml").string(),
                        manifest.string(), "--images", (model / "labelled").string(), "--rounds",
                        "3", "--json", (model / "eval.json").string()},
                       100s);
  ASSERT_EQ(judged.code, 0) << judged.output;

  const Ran trusted = system_test::run(
      {program("collage-train"), "eval", "--manifest", (model / "scnn.yaml").string(), "--collage",
       manifest.string(), "--images", (model / "pictures").string(), "--may-lose", "10", "--json",
       (model / "trust.json").string()},
      100s);
  ASSERT_EQ(trusted.code, 0) << trusted.output;
  EXPECT_THAT(trusted.output, HasSubstr("200 pictures (without labels)"));
  EXPECT_THAT(trusted.output, HasSubstr("The collage is good enough to answer for the s-CNN"));
  const auto trust = nlohmann::json::parse(std::ifstream(model / "trust.json"));
  EXPECT_EQ(trust["pictures"], 200);
  EXPECT_TRUE(trust["good_enough"]);
  EXPECT_GE(trust["agree"]["value"], 0.9);
  EXPECT_LT(trust["agree"]["low"], trust["agree"]["value"]);

  const Ran replayed = system_test::run(
      {program("collage-replay"), "run", COLLAGE_SOURCE_DIR "/replay/scenarios/grid-2x2.yaml",
       "--single", (model / "scnn.yaml").string(), "--collage", manifest.string(), "--pictures",
       (model / "labelled").string(), "--batches", "5", "--simulated", "50", "--policies",
       "collage", "--pipeline", COLLAGE_SOURCE_DIR "/pipeline.yaml", "--out",
       (model / "replay").string()},
      200s);
  ASSERT_EQ(replayed.code, 0) << replayed.output;
  const auto figures =
      nlohmann::json::parse(std::ifstream(model / "replay" / "grid-2x2-live" / "summary.json"));
  EXPECT_GE(figures["policies"][0]["accuracy"], 0.8);

  LivePipeline pipeline({{"grid", "2"},
                         {"models.single", (model / "scnn.yaml").string()},
                         {"models.collage", manifest.string()}},
                        {.classifiers = 2, .collages = 1});
  const std::vector<std::string> wanted = {"red", "green", "blue", "yellow", "white"};
  const std::vector<std::string> got = answers(pipeline, model / "pictures", 20);
  std::size_t right = 0;
  for (std::size_t i = 0; i < got.size(); ++i) right += got[i] == wanted[i % wanted.size()];
  EXPECT_GE(right, 18u);
  EXPECT_TRUE(pipeline.stop());
}

TEST(OwnModel, FoldersOfClassesCountAsLabels) {
  const std::filesystem::path model = exported("trained");
  const Ran made =
      collage_from(model, model / "labelled", {"--grid", "2", "--tile", "24", "--epochs", "1"});
  ASSERT_EQ(made.code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("200 pictures with labels"));
  EXPECT_THAT(made.output, HasSubstr("the collage loses"));
  // A run that has ended on other pictures is not taken for one on these.
  const Ran mixed_up =
      collage_from(model, model / "pictures", {"--grid", "2", "--tile", "24", "--epochs", "1"});
  EXPECT_EQ(mixed_up.code, 2);
  EXPECT_THAT(mixed_up.output, HasSubstr("checkpoint.pt: is of another run"));
  std::filesystem::rename(model / "labelled" / "red", model / "labelled" / "crimson");
  const Ran refused =
      collage_from(model, model / "labelled", {"--grid", "2", "--tile", "24", "--epochs", "1"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output,
              HasSubstr("folder 'crimson' is no class, expected one of red, green"));
}

TEST(OwnModel, PicturesWithoutLabelsOfAnotherSourceAreLearnedToo) {
  const std::filesystem::path model = exported("trained");
  // The same pictures in folders that mean nothing.  Those that are held back stay unseen.
  std::filesystem::create_directories(model / "more");
  std::filesystem::copy(model / "pictures", model / "more" / "monday");
  const Ran made = collage_from(model, model / "labelled",
                                {"--grid", "2", "--tile", "24", "--epochs", "1", "--unlabelled",
                                 "--no-mirror", "--more", (model / "more").string()});
  ASSERT_EQ(made.code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("more: 20 pictures are also held back"));
  EXPECT_THAT(made.output, HasSubstr("200 pictures without labels, 180 more"));
}

TEST(OwnModel, AManifestIsWrittenOfWhatTheNetworkShows) {
  const std::filesystem::path model = exported("trained");
  std::ofstream(model / "classes.txt") << "red\ngreen\r\nblue\n\nyellow\nwhite\n";
  const std::string weights = (model / "scnn.pt").string();
  const std::string classes = (model / "classes.txt").string();
  const auto manifest = [&](std::vector<std::string> more) {
    std::vector<std::string> argv = {program("collage-train"), "manifest", weights};
    argv.insert(argv.end(), more.begin(), more.end());
    return system_test::run(argv, 60s);
  };
  // Beside the weights lies the one that was exported with them, which is not overwritten.
  EXPECT_THAT(manifest({}).output, HasSubstr("scnn.yaml: is there already"));
  const std::filesystem::path file = model / "new" / "my.yaml";
  const Ran written = manifest({"--classes", classes, "--size", "48", "--out", file.string()});
  ASSERT_EQ(written.code, 0) << written.output;
  EXPECT_THAT(written.output, HasSubstr("takes 48x48 pixels, colour, and gives 5 numbers"));
  const models::Manifest made = models::load_manifest(file);
  EXPECT_EQ(made.tile, (models::TileShape{.width = 48, .height = 48, .channels = 3}));
  EXPECT_THAT(made.class_names, testing::ElementsAre("red", "green", "blue", "yellow", "white"));
  const Ran checked =
      system_test::run({program("collage-train"), "check", file.string(), "--images",
                        (model / "pictures").string(), "--out", (model / "seen").string()},
                       60s);
  EXPECT_EQ(checked.code, 0) << checked.output;
  // However long its name, a stage can add to the version that it computes in bfloat16.
  const std::filesystem::path named = model / "new" / (std::string(40, 'n') + ".yaml");
  ASSERT_EQ(manifest({"--out", named.string()}).code, 0);
  EXPECT_LE((models::load_manifest(named).version + std::string(models::kBfloat16Suffix)).size(),
            wire::kVersionMax);
  std::ofstream(model / "classes.txt") << "red\n";
  EXPECT_THAT(manifest({"--classes", classes, "--out", (model / "other.yaml").string()}).output,
              HasSubstr("has 1 names, but the network gives 5 numbers"));
}

TEST(OwnModel, AManifestOfAFolderIsRefusedAsOne) {
  const std::filesystem::path model = exported("trained");
  const Ran refused =
      system_test::run({program("collage-train"), "manifest", (model / "pictures").string()}, 60s);
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.output, HasSubstr("pictures: is a folder, expected a TorchScript file"));
}

// Each picture's answer by the pipeline: the class and its probability, as PyTorch gives them.
void expect_answers_of_pytorch(const std::filesystem::path& model, const std::string& name) {
  LivePipeline pipeline(
      {{"policy", "none"}, {"models.single", (model / (name + ".yaml")).string()}},
      {.classifiers = 1, .collages = 0});
  const auto expected = nlohmann::json::parse(std::ifstream(model / (name + ".json")));
  producer::Connection connection(pipeline.producers());
  std::size_t compared = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto file =
        model / "pictures" / ("00" + std::string(i < 10 ? "0" : "") + std::to_string(i) + ".png");
    const std::vector<double> right = expected[i];
    (void)connection.submit(body(file), [&, right](const producer::Delivered& d) {
      ASSERT_EQ(d.result.status, wire::ResultStatus::answered);
      const wire::Prediction& best = d.result.predictions.front().prediction;
      const auto largest = std::ranges::max_element(right);
      EXPECT_EQ(best.label.value, largest - right.begin());
      EXPECT_NEAR(best.probability, *largest, 1e-3);
      ++compared;
    });
  }
  EXPECT_EQ(connection.close(60s), 0u);
  EXPECT_EQ(compared, expected.size());
  EXPECT_TRUE(pipeline.stop());
}

TEST(OwnModel, OnnxIsServedAsPyTorchAnswersAndTeaches) {
  const std::filesystem::path model = exported("onnx");
  for (const std::string name : {"resnet18", "mobilenet_v2"}) {
    SCOPED_TRACE(name);
    expect_answers_of_pytorch(model, name);
  }
  const Ran made = collage_from(model, model / "pictures",
                                {"--grid", "2", "--tile", "32", "--epochs", "1"}, "resnet18.onnx");
  EXPECT_EQ(made.code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("enough to answer for the s-CNN"));
}

TEST(LongOwnModel, ResNet34At224RunsInThePipeline) {
  const std::filesystem::path model = exported("resnet34");
  const Ran made =
      collage_from(model, model / "pictures", {"--grid", "2", "--tile", "32", "--epochs", "1"});
  ASSERT_EQ(made.code, 0) << made.output;
  LivePipeline pipeline({{"grid", "2"},
                         {"models.single", (model / "scnn.yaml").string()},
                         {"models.collage", (model / "made" / "scnn_collage_2x2.yaml").string()}},
                        {.classifiers = 2, .collages = 1});
  for (const std::string& label : answers(pipeline, model / "pictures", 12)) {
    EXPECT_THAT(label, testing::StartsWith("class "));
  }
  EXPECT_TRUE(pipeline.stop());
}

TEST(DetectHead, ServesInTheSameStageByItsManifest) {
  LivePipeline pipeline({{"policy", "collage-first"},
                         {"models.collage", COLLAGE_SOURCE_DIR "/models/fashion_detect_3x3.yaml"},
                         {"emulation.source", "log-normal"},
                         {"emulation.median", "10ms"},
                         {"emulation.sigma", "0"},
                         {"emulation.slow", "[classifier-0]"},
                         {"emulation.slow_factor", "10"}},
                        {.classifiers = 1, .collages = 1});
  constexpr std::size_t kImages = 36;
  const auto samples = system_test::samples(kImages);
  std::size_t right = 0;
  std::size_t by_collage = 0;
  producer::Connection connection(pipeline.producers());
  for (const system_test::Sample& sample : samples) {
    (void)connection.submit(sample.image, [&](const producer::Delivered& d) {
      if (d.result.status != wire::ResultStatus::answered) return;
      right += d.result.predictions.front().name == sample.label;
      if (d.result.source != wire::Source::collage) return;
      ++by_collage;
      EXPECT_THAT(d.result.version, testing::StartsWith("detect-3x3-"));
    });
  }
  EXPECT_EQ(connection.close(20s), 0u);
  EXPECT_GE(right, kImages - 5);
  EXPECT_GE(by_collage, kImages / 2);
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
