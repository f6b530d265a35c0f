#include "models/serving/network.h"

#include <dlfcn.h>
#include <gmock/gmock.h>

#include <chrono>
#include <limits>

#include "models/research/nets/export_script.h"
#include "models/serving/script.h"
#include "models/serving/sha256.h"
#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class NetworkTest : public ::testing::Test {
 protected:
  ~NetworkTest() override { std::filesystem::remove(file_); }

  // A manifest whose weights are an untrained toy; `bias` is added to the logit of class 2.
  Manifest toy(int grid, float bias = 0) {
    GridNet net(toy_architecture(grid), 1);
    const torch::NoGradGuard no_grad;
    net->named_parameters()["head.bias"][2] = bias;
    return manifest_of(net);
  }

  // A detect head that sees, wherever it looks, a box of class 1 as large as a tile and surely
  // there, but only by its second anchor.
  Manifest toy_boxes(int grid) {
    Architecture a = toy_architecture(grid);
    a.head = Head::detect;
    GridNet net(a, 1);
    const torch::NoGradGuard no_grad;
    net->named_parameters()["head.weight"].zero_();
    torch::Tensor bias = net->named_parameters()["head.bias"].reshape({kAnchors, -1});
    bias.zero_();
    bias.select(1, 4).fill_(-20);
    bias[1][4] = 20;
    bias.select(1, 5 + 1).fill_(3);
    return manifest_of(net);
  }

  // Scores that are finite but for a black tile.
  Manifest dividing(int grid) {
    torch::jit::Module module("Net");
    module.register_attribute("training", c10::BoolType::get(), false);
    module.register_buffer("w", torch::tensor({0.0f, 5.0f, 10.0f, 50.0f}));
    module.define(
        "def forward(self, x):\n"
        "    cells = torch.reshape(x[:, 0, ::8, ::8], [x.size(0), -1, 1])\n"
        "    return self.w / (cells - (0.0 - 0.4) / 0.3)\n");
    module.save(file_);
    return manifest_of(toy_architecture(grid));
  }

  Manifest manifest_of(GridNet& net) {
    export_script(net, file_);
    return manifest_of(net->architecture());
  }

  Manifest manifest_of(const Architecture& a) {
    const Dataset data = toy_data(1, 1);
    return {.name = "toy",
            .kind = a.grid == 1 ? Kind::single : Kind::collage,
            .dataset = data.name,
            .grid = a.grid,
            .head = a.head,
            .detect = a.head == Head::detect ? detect_shape(a) : DetectShape{},
            .weights = file_,
            .sha256 = sha256_of(file_),
            .version = "toy",
            .tile = data.shape,
            .normalisation = data.normalisation,
            .calibration = {.temperature = 2},
            .class_names = data.class_names,
            .origin = {}};
  }

  static imaging::Picture picture() {
    return {.width = 8, .height = 8, .channels = 1, .pixels = toy_data(1, 5).pixels};
  }

  std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".pt");
};

TEST_F(NetworkTest, ASingleGivesItsBestClassesWithProbabilities) {
  const Network network(toy(1, 50));
  const wire::Verdict verdict = network.classify(picture(), 2);
  EXPECT_EQ(verdict.reason, wire::Reason::none);
  ASSERT_THAT(verdict.predictions, SizeIs(2));
  EXPECT_EQ(verdict.predictions[0].label, wire::ClassId{2});
  EXPECT_GT(verdict.predictions[0].probability, 0.9f);
  EXPECT_LE(verdict.predictions[1].probability, verdict.predictions[0].probability);
}

TEST_F(NetworkTest, AskedForMoreClassesThanThereAreGivesAllAndTheySumToOne) {
  const Network network(toy(1));
  float sum = 0;
  const wire::Verdict verdict = network.classify(picture(), 99);
  ASSERT_THAT(verdict.predictions, SizeIs(4));
  for (const wire::Prediction& p : verdict.predictions) sum += p.probability;
  EXPECT_NEAR(sum, 1, 1e-5);
}

TEST_F(NetworkTest, SeveralPicturesAreClassifiedAsEachAlone) {
  const Network network(toy(1), {.together_max = 4});
  EXPECT_LE(network.together(), 4u);
  std::vector<imaging::Picture> pictures(3, picture());
  std::ranges::reverse(pictures[1].pixels);
  std::ranges::fill(pictures[2].pixels, std::uint8_t{255});
  const std::vector<wire::Verdict> verdicts = network.classify(pictures, 2);
  ASSERT_THAT(verdicts, SizeIs(3));
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const wire::Verdict alone = network.classify(pictures[i], 2);
    EXPECT_EQ(verdicts[i].predictions[0].label, alone.predictions[0].label);
    EXPECT_NEAR(verdicts[i].predictions[0].probability, alone.predictions[0].probability, 1e-5);
  }
}

TEST_F(NetworkTest, InBfloat16ItAnswersAboutAsInFloatAndItsVersionSaysSo) {
  const Manifest manifest = toy(1, 3);
  const Network in_float(manifest, {.precision = Precision::float32});
  const Network in_bfloat16(manifest, {.precision = Precision::bfloat16});
  EXPECT_EQ(in_float.version(), "toy");
  EXPECT_EQ(in_bfloat16.version(), "toy+bf16");
  EXPECT_EQ(in_bfloat16.form(), "bfloat16");
  EXPECT_THAT(in_bfloat16.how_served(), StartsWith("bfloat16 "));
  const std::vector<float> exact = in_float.logits(picture().pixels);
  const std::vector<float> rough = in_bfloat16.logits(picture().pixels);
  ASSERT_EQ(exact.size(), rough.size());
  EXPECT_NE(exact, rough);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(exact[i], rough[i], 0.1);
}

TEST_F(NetworkTest, ByItselfItComputesInFloatUnlessItsManifestSaysWhatBfloat16Costs) {
  Manifest manifest = toy(1);
  EXPECT_THAT(Network(manifest).how_served(), Not(HasSubstr("bfloat16")));
  manifest.bfloat16 = {.lost = 0.002, .images = 5000};
  EXPECT_THAT(Network(manifest).how_served(), Not(HasSubstr("bfloat16")));
  manifest.bfloat16 = {.lost = 0.0009, .images = kCostImagesMin - 1};
  EXPECT_THAT(Network(manifest).how_served(), Not(HasSubstr("bfloat16")));
  manifest.bfloat16.images = kCostImagesMin;
  const std::string served = Network(manifest).how_served();
  // Where the processor has no instructions for it, it is not even tried.
  EXPECT_EQ(served.find("bfloat16") != std::string::npos, computes_bfloat16()) << served;
}

TEST_F(NetworkTest, AVersionThatIsTooLongInBfloat16IsRefused) {
  Manifest manifest = toy(1);
  manifest.version = std::string(wire::kVersionMax - 4, 'v');
  EXPECT_THAT([&] { Network network(manifest, {.precision = Precision::bfloat16}); },
              ThrowsMessage<std::runtime_error>(HasSubstr("version with +bf16 is longer")));
}

TEST_F(NetworkTest, UnlessItIsAskedForOnePictureIsClassifiedAtATime) {
  EXPECT_EQ(Network(toy(1)).together(), 1u);
}

TEST_F(NetworkTest, ANetworkWithTheNumberOfPicturesBuiltInTakesOne) {
  torch::jit::Module module("Net");
  module.register_attribute("training", c10::BoolType::get(), false);
  module.define(
      "def forward(self, x):\n"
      "    return torch.reshape(torch.mean(x, [1, 2, 3]), [1, 1]) * torch.ones([1, 4])\n");
  module.save(file_);
  EXPECT_EQ(Network(manifest_of(toy_architecture(1)), {.together_max = 4}).together(), 1u);
}

TEST_F(NetworkTest, OfSeveralPicturesOneWithoutFiniteScoresSpoilsNoOther) {
  const Network network(dividing(1), {.together_max = 2});
  std::vector<imaging::Picture> pictures(2, picture());
  std::ranges::fill(pictures[0].pixels, std::uint8_t{0});
  const std::vector<wire::Verdict> verdicts = network.classify(pictures, 3);
  EXPECT_EQ(verdicts[0].reason, wire::Reason::bad_scores);
  EXPECT_EQ(verdicts[1].reason, wire::Reason::none);
}

TEST_F(NetworkTest, OfSeveralPicturesOneThatTheNetworkRefusesSpoilsNoOther) {
  torch::jit::Module module("Net");
  module.register_attribute("training", c10::BoolType::get(), false);
  module.define(
      "def forward(self, x):\n"
      "    means = torch.mean(x, [1, 2, 3])\n"
      "    assert float(torch.min(means)) > -1.3\n"
      "    return torch.reshape(means, [-1, 1]) * torch.ones([1, 4])\n");
  module.save(file_);
  const Network network(manifest_of(toy_architecture(1)), {.together_max = 2});
  std::vector<imaging::Picture> pictures(2, picture());
  std::ranges::fill(pictures[0].pixels, std::uint8_t{0});
  const std::vector<wire::Verdict> verdicts = network.classify(pictures, 3);
  ASSERT_THAT(verdicts, SizeIs(2));
  EXPECT_EQ(verdicts[0].reason, wire::Reason::bad_scores);
  EXPECT_EQ(verdicts[1].reason, wire::Reason::none);
}

TEST_F(NetworkTest, ScoresThatAreNotFiniteAreAReasonAndNoThrow) {
  const Network network(dividing(1));
  EXPECT_EQ(network.classify(picture(), 3).reason, wire::Reason::none);
  imaging::Picture black = picture();
  std::ranges::fill(black.pixels, std::uint8_t{0});
  const wire::Verdict verdict = network.classify(black, 3);
  EXPECT_EQ(verdict.reason, wire::Reason::bad_scores);
  EXPECT_THAT(verdict.predictions, IsEmpty());
}

TEST_F(NetworkTest, ANetworkThatGivesNoNumbersIsRefused) {
  EXPECT_THAT([&] { Network network(toy(1, kNan)); },
              ThrowsMessage<std::runtime_error>(
                  AllOf(HasSubstr(file_.string()), HasSubstr("not finite (NaN or infinite)"))));
}

TEST_F(NetworkTest, ComputesOnOneThread) {
  const Network network(toy(1));
  EXPECT_EQ(at::get_num_threads(), 1);
  using Threads = int (*)();
  const auto threads = reinterpret_cast<Threads>(dlsym(RTLD_DEFAULT, "openblas_get_num_threads"));
  if (threads == nullptr) GTEST_SKIP() << "another BLAS";
  EXPECT_EQ(threads(), 1);
}

TEST_F(NetworkTest, SaysInWhichFormItIsServed) {
  const Network network(toy(1));
  EXPECT_THAT(network.how_served(), HasSubstr(network.form() + " "));
  EXPECT_THAT(network.warnings(), IsEmpty());
}

TEST_F(NetworkTest, SaysHowLongAnInferenceTakes) {
  Manifest manifest = toy(1);
  const wire::Duration once = Network(manifest).inference_time();
  EXPECT_GT(once, wire::Duration::zero());
  torch::jit::Module module("Net");
  module.register_attribute("training", c10::BoolType::get(), false);
  module.register_module("net", load_script(file_).module);
  module.define(
      "def forward(self, x):\n"
      "    y = self.net.forward(x)\n"
      "    for i in range(300):\n"
      "        y = y + i * self.net.forward(x)\n"
      "    return y\n");
  module.save(file_);
  manifest.sha256 = sha256_of(file_);
  EXPECT_GT(Network(manifest).inference_time(), 10 * once);
}

TEST_F(NetworkTest, WarnsOfClassesThatShareAName) {
  Manifest manifest = toy(1);
  manifest.class_names[3] = manifest.class_names[1];
  EXPECT_THAT(
      Network(manifest).warnings(),
      ::testing::ElementsAre(HasSubstr("several classes named '" + manifest.class_names[1] + "'")));
}

// Exported by a network that ends with a softmax of its own.
TEST_F(NetworkTest, ProbabilitiesAreServedAsTheyAre) {
  Manifest manifest = toy(1, 1);
  const std::vector<float> logits = Network(manifest).logits(picture().pixels);
  torch::jit::Module module("Net");
  module.register_attribute("training", c10::BoolType::get(), false);
  module.register_module("net", load_script(file_).module);
  module.define("def forward(self, x):\n    return torch.softmax(self.net.forward(x), -1)\n");
  module.save(file_);
  manifest.sha256 = sha256_of(file_);
  manifest.output_form.scores = Scores::probabilities;
  const std::vector<float> served = Network(manifest).logits(picture().pixels);
  ASSERT_EQ(served.size(), logits.size());
  for (std::size_t i = 0; i < served.size(); ++i) {
    EXPECT_NEAR(served[i] - served[0], logits[i] - logits[0], 1e-4);
  }
}

TEST_F(NetworkTest, ACollageAnswersForEachCellThatIsNotBlank) {
  const Network network(toy(2, 10));
  const std::vector<std::uint8_t> canvas(network.manifest().input().bytes(), 100);
  const machine::Cells cells = network.classify_collage(canvas, {false, true, false, false}, 1);
  EXPECT_THAT(cells.cells, ElementsAre(SizeIs(1), IsEmpty(), SizeIs(1), SizeIs(1)));
}

TEST_F(NetworkTest, ACellThatTheNetworkCallsBlankHasNoAnswer) {
  Manifest manifest = toy(2, 10);
  manifest.calibration.temperature = 100;  // Every class like every other.
  const Network network(manifest);
  const std::vector<std::uint8_t> canvas(network.manifest().input().bytes(), 100);
  EXPECT_THAT(network.classify_collage(canvas, std::vector<bool>(4), 1).cells,
              ElementsAre(IsEmpty(), IsEmpty(), IsEmpty(), IsEmpty()));
}

TEST_F(NetworkTest, ACellWithScoresThatAreNotFiniteHasNoAnswer) {
  const Network network(dividing(2));
  std::vector<std::uint8_t> canvas(network.manifest().input().bytes(), 100);
  canvas[8] = 0;  // Of the second cell.
  const machine::Cells cells = network.classify_collage(canvas, std::vector<bool>(4), 1);
  EXPECT_THAT(cells.cells, ElementsAre(SizeIs(1), IsEmpty(), SizeIs(1), SizeIs(1)));
}

TEST_F(NetworkTest, ADetectHeadAnswersForTheCellsOfItsBoxesInTheSameWay) {
  const Network network(toy_boxes(2));
  const std::vector<std::uint8_t> canvas(network.manifest().input().bytes(), 100);
  EXPECT_THAT(network.logits(canvas), SizeIs(4 * 4));
  const machine::Cells cells = network.classify_collage(canvas, {false, false, true, false}, 1);
  ASSERT_THAT(cells.cells, ElementsAre(SizeIs(1), SizeIs(1), IsEmpty(), SizeIs(1)));
  EXPECT_EQ(cells.cells[3][0].label, wire::ClassId{1});
}

TEST_F(NetworkTest, ADetectHeadOfAnotherMapIsRefused) {
  Manifest manifest = toy_boxes(2);
  manifest.detect.map_width = 7;
  EXPECT_THAT([&] { Network network(manifest); },
              ThrowsMessage<std::runtime_error>(HasSubstr("its manifest promises ")));
}

TEST_F(NetworkTest, AnswersAsTheNativeNetworkDoes) {
  const std::vector<float> served = Network(toy(1)).logits(picture().pixels);
  const torch::NoGradGuard no_grad;
  GridNet net(toy_architecture(1), 1);
  export_script(net, file_);  // Rounds its weights, as those that are served were.
  torch::Tensor input = torch::zeros({1, 1, 8, 8});
  for (std::size_t i = 0; i < 64; ++i) {
    input.data_ptr<float>()[i] = (static_cast<float>(picture().pixels[i]) / 255.0f - 0.4f) / 0.3f;
  }
  const torch::Tensor native = net->forward(input);
  for (std::int64_t c = 0; c < 4; ++c) {
    EXPECT_NEAR(served[static_cast<std::size_t>(c)], native[0][c].item<float>(), 1e-4);
  }
}

TEST_F(NetworkTest, WeightsOfAnotherHashAreRefused) {
  Manifest manifest = toy(1);
  manifest.sha256 = std::string(64, '0');
  EXPECT_THAT([&] { Network network(manifest); },
              ThrowsMessage<std::runtime_error>(
                  AllOf(HasSubstr(file_.string()), HasSubstr("the manifest requires 0000"))));
}

TEST_F(NetworkTest, MissingWeightsAreNamed) {
  Manifest manifest = toy(1);
  std::filesystem::remove(file_);
  EXPECT_THAT([&] { Network network(manifest); },
              ThrowsMessage<std::runtime_error>(HasSubstr(file_.string())));
}

TEST_F(NetworkTest, ANetworkWithAnotherNumberOfOutputsIsRefused) {
  Manifest manifest = toy(1);
  manifest.class_names.push_back("fifth");
  EXPECT_THAT([&] { Network network(manifest); },
              ThrowsMessage<std::runtime_error>(
                  HasSubstr("returns Float [1, 4], its manifest promises 5 numbers")));
}

}  // namespace
}  // namespace models
