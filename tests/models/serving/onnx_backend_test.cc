#include "models/serving/onnx_backend.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "models/serving/network.h"
#include "models/serving/planes.h"
#include "models/serving/sha256.h"
#include "tests/models/serving/onnx_files.h"

namespace models {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

class OnnxBackendTest : public ::testing::Test {
 protected:
  ~OnnxBackendTest() override { std::filesystem::remove(file_); }

  Manifest manifest() {
    net.write(file_);
    Manifest m;
    m.name = "mine";
    m.weights = file_;
    m.sha256 = sha256_of(file_);
    m.version = "mine-1";
    m.tile = {.width = 8, .height = 8, .channels = 3};
    m.normalisation = {.mean = {0.5, 0.5, 0.5}, .deviation = {0.25, 0.25, 0.25}};
    m.class_names = {"a", "b", "c", "d"};
    return m;
  }

  static std::vector<float> noise(int seed) {
    torch::manual_seed(static_cast<std::uint64_t>(seed));
    const torch::Tensor t = torch::randn({3 * 8 * 8});
    return {t.data_ptr<float>(), t.data_ptr<float>() + t.numel()};
  }

  // What LibTorch makes of the same network.
  std::vector<float> right(std::vector<float> planes) {
    const torch::Tensor a = torch::conv2d(torch::from_blob(planes.data(), {1, 3, 8, 8}),
                                          torch::from_blob(net.kernel.data(), {4, 3, 3, 3}),
                                          torch::from_blob(net.bias.data(), {4}));
    const torch::Tensor logits = a.clamp(0, 6).mean({2, 3}).contiguous();
    return {logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel()};
  }

  auto refused(const std::string& what) {
    return ThrowsMessage<std::runtime_error>(AllOf(HasSubstr(file_.string()), HasSubstr(what)));
  }

  OnnxNet net;
  const std::filesystem::path file_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".onnx");
  const Probes probes_ = {noise(1), noise(2)};
};

TEST_F(OnnxBackendTest, AnswersAsLibTorchDoes) {
  const auto backend = load_onnx_backend(manifest(), probes_);
  const std::vector<float> planes = noise(3);
  EXPECT_THAT(backend->run(planes),
              ::testing::Pointwise(::testing::FloatNear(1e-5F), right(planes)));
  EXPECT_EQ(backend->numbers(), 4u);
  EXPECT_EQ(backend->returned(), "Float [1, 4]");
  EXPECT_FALSE(backend->sums_to_one());
  EXPECT_THAT(backend->warnings(), IsEmpty());
  EXPECT_THAT(backend->how_served(), AllOf(HasSubstr(backend->form() + " "), HasSubstr("OpenCV")));
}

TEST_F(OnnxBackendTest, IsServedByANetworkAndProbabilitiesAsTheyAre) {
  net.node("Softmax", {"logits"}, "p");
  net.model.mutable_graph()->mutable_output(0)->set_name("p");
  Manifest m = manifest();
  m.output_form.scores = Scores::probabilities;
  const Network network(m);
  EXPECT_THAT(network.warnings(), IsEmpty());
  const std::vector<std::uint8_t> pixels(m.tile.bytes(), 90);
  const std::vector<float> logits = network.logits(pixels);
  const std::vector<float> expected = right(planes_of(pixels, m.tile, tables_of(m.normalisation)));
  ASSERT_EQ(logits.size(), 4u);
  // Logits are known but for a number that is added to all.
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_NEAR(logits[i] - logits[0], expected[i] - expected[0], 1e-4) << i;
  }
}

TEST_F(OnnxBackendTest, ASoftmaxInsideIsToldUnlessTheManifestSaysSo) {
  net.node("Softmax", {"logits"}, "p");
  net.model.mutable_graph()->mutable_output(0)->set_name("p");
  const auto backend = load_onnx_backend(manifest(), probes_);
  EXPECT_TRUE(backend->sums_to_one());
  EXPECT_THAT(backend->warnings(), ::testing::ElementsAre(HasSubstr("scores: probabilities")));
}

// OpenCV keeps outputs by name; the first of the file comes last by that.
TEST_F(OnnxBackendTest, OfSeveralOutputsTheFirstOrTheOneThatTheManifestNamesIsTaken) {
  for (const std::string name : {"z", "aa"}) {
    net.node("Neg", {name == "z" ? "logits" : "z"}, name);
    if (name == "z") net.model.mutable_graph()->clear_output();
    OnnxNet::shape(*net.model.mutable_graph()->add_output(), name, {1, 4});
  }
  const std::vector<float> planes = noise(3);
  const std::vector<float> logits = right(planes);
  std::vector<float> negative = logits;
  for (float& number : negative) number = -number;
  Manifest m = manifest();
  const auto first = load_onnx_backend(m, probes_);
  EXPECT_THAT(first->run(planes), ::testing::Pointwise(::testing::FloatNear(1e-5F), negative));
  EXPECT_THAT(first->warnings(),
              ::testing::ElementsAre(HasSubstr("has 2 outputs, of which the first, z, is taken")));
  m.output_form.key = "aa";
  const auto named = load_onnx_backend(m, probes_);
  EXPECT_THAT(named->run(planes), ::testing::Pointwise(::testing::FloatNear(1e-5F), logits));
  EXPECT_THAT(named->warnings(), IsEmpty());
  m.output_form.key = "scores";
  EXPECT_THAT([&] { load_onnx_backend(m, probes_); },
              refused("has the outputs z, aa, but its manifest has output.key scores"));
}

TEST_F(OnnxBackendTest, IsNotServedInBfloat16) {
  const Manifest m = manifest();
  EXPECT_THAT([&] { Network network(m, {.precision = Precision::bfloat16}); },
              ::testing::ThrowsMessage<std::runtime_error>(
                  AllOf(HasSubstr(m.weights.string()), HasSubstr("is not served in bfloat16"))));
  EXPECT_EQ(Network(m, {.together_max = 8}).together(), 1u);
}

TEST_F(OnnxBackendTest, AnOperatorThatOpenCvLacksIsNamed) {
  net.node("Mod", {"logits", "shared"}, "q");
  net.model.mutable_graph()->mutable_output(0)->set_name("q");
  EXPECT_THAT([&] { load_onnx_backend(manifest(), probes_); },
              refused("OpenCV does not run it: at Mod: "));
}

TEST_F(OnnxBackendTest, AnotherInputThanTheManifestsIsRefused) {
  Manifest m = manifest();
  m.tile.channels = 1;
  EXPECT_THAT([&] { load_onnx_backend(m, {std::vector<float>(64)}); },
              refused("OpenCV does not run it: "));
}

TEST_F(OnnxBackendTest, ANetworkThatGivesNoNumbersIsRefused) {
  net.node("Log", {"logits"}, "l");
  net.model.mutable_graph()->mutable_output(0)->set_name("l");
  net.bias.assign(4, -1000);  // All is clipped to 0.
  net.model.mutable_graph()->mutable_initializer(1)->set_raw_data(net.bias.data(),
                                                                  4 * sizeof(float));
  EXPECT_THAT([&] { load_onnx_backend(manifest(), probes_); },
              refused("not finite (NaN or infinite)"));
}

TEST_F(OnnxBackendTest, ADamagedOrExchangedFileIsRefused) {
  Manifest m = manifest();
  m.sha256 = std::string(64, '0');
  EXPECT_THAT([&] { load_onnx_backend(m, probes_); }, refused("the manifest requires"));
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  m.sha256 = sha256_of(file_);
  EXPECT_THAT([&] { load_onnx_backend(m, probes_); }, refused("is damaged"));
}

TEST_F(OnnxBackendTest, IsKnownByItsFirstBytesToo) {
  const std::filesystem::path other = file_.string() + ".bin";
  net.write(other);
  EXPECT_TRUE(is_onnx(other));
  std::ofstream(other) << "PK\x03\x04";
  EXPECT_FALSE(is_onnx(other));
  std::filesystem::remove(other);
  EXPECT_FALSE(is_onnx(other));
}

}  // namespace
}  // namespace models
