#include "models/serving/served_script.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>
#include <filesystem>

#include "models/research/nets/export_script.h"
#include "models/serving/script.h"

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::ThrowsMessage;

auto fails_with(const std::string& what) {
  return ThrowsMessage<std::runtime_error>(HasSubstr(what));
}

const FormTrial& trial_of(const ServedScript& served, ScriptForm form) {
  return served.trials.at(static_cast<std::size_t>(form));
}

class ServedScriptTest : public ::testing::Test {
 protected:
  ServedScriptTest() {
    torch::manual_seed(1);
    torch::jit::getExecutorMode() = false;  // As a stage does.
    probes = {torch::randn({1, 3, 16, 16}), torch::randn({1, 3, 16, 16})};
  }

  // A network of one method, in TorchScript; `x` is its input.
  torch::jit::Module script(const std::string& body) {
    torch::jit::Module module("Net");
    module.register_attribute("training", c10::BoolType::get(), false);
    module.register_parameter("w", torch::randn({channels, 3, 3, 3}), false);
    module.register_parameter("b", torch::randn({channels}), false);
    module.define("def forward(self, x):\n" + body);
    module.eval();
    return module;
  }

  // What LibTorch 1.13 fuses wrongly: channels that do not fill the vectors of the processor.
  torch::jit::Module hardswish() {
    struct Net : torch::nn::Module {
      explicit Net(int channels)
          : conv(register_module("conv", torch::nn::Conv2d(3, channels, 3))) {}
      torch::nn::Conv2d conv;
    };
    Net net(channels);
    const auto forward = [&](const torch::Tensor& x) {
      return torch::hardswish(net.conv(x)).mean({2, 3});
    };
    const std::filesystem::path file =
        std::filesystem::path(::testing::TempDir()) /
        (std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".pt");
    export_script(net, forward, probes[0], file);
    torch::jit::Module module = load_script(file).module;
    std::filesystem::remove(file);
    return module;
  }

  ServedScript serve(torch::jit::Module module, const OutputForm& output = {}) {
    return serve_script(module, output, classes, probes);
  }

  int channels = 10;
  std::size_t classes = 3;
  std::vector<torch::Tensor> probes;
};

TEST_F(ServedScriptTest, EveryFormIsTriedAndTheOneThatIsServedAnswersAsTheModuleDoes) {
  torch::jit::Module module =
      script("    return torch.flatten(torch.mean(torch.conv2d(x, self.w, self.b), [2, 3]), 1)\n");
  ServedScript served = serve(module);
  ASSERT_THAT(served.trials, SizeIs(3));
  for (const FormTrial& trial : served.trials) EXPECT_TRUE(trial.right()) << word_of(trial.form);
  EXPECT_THAT(served.warnings, IsEmpty());
  EXPECT_EQ(served.numbers, 10u);
  EXPECT_EQ(served.returned, "Float [1, 10]");
  const c10::InferenceMode inference;
  EXPECT_TRUE(served.module.forward({probes[1]})
                  .toTensor()
                  .allclose(module.forward({probes[1]}).toTensor(), 1e-3, 1e-4));
}

// Whatever LibTorch makes of a fused hardswish on this processor.
TEST_F(ServedScriptTest, AFormThatAnswersOtherwiseIsNotServed) {
  for (channels = 8; channels <= 24; ++channels) {
    torch::jit::Module module = hardswish();
    ServedScript served = serve(module);
    const c10::InferenceMode inference;
    const torch::Tensor right = module.forward({probes[0]}).toTensor();
    const torch::Tensor got = served.module.forward({probes[0]}).toTensor();
    EXPECT_LE((got - right).abs().max().item<float>(), 1e-3 * right.abs().max().item<float>());
    const FormTrial& fused = trial_of(served, ScriptForm::fused);
    if (fused.right()) continue;
    EXPECT_NE(served.form, ScriptForm::fused);
    EXPECT_THAT(summary(served), HasSubstr("fused is wrong: it differs by"));
  }
}

// LibTorch 1.13 fuses most of these wrongly; which ones depends on the processor.
TEST_F(ServedScriptTest, AFormIsRightExactlyIfItsAnswersAre) {
  for (channels = 8; channels <= 24; ++channels) {
    torch::jit::Module module = hardswish();
    torch::jit::Module fused = torch::jit::optimize_for_inference(module);
    bool right = true;
    for (const torch::Tensor& probe : probes) {
      const c10::InferenceMode inference;
      const torch::Tensor plain = module.forward({probe}).toTensor();
      const torch::Tensor apart = (fused.forward({probe}).toTensor() - plain).abs();
      right = right && apart.max().item<float>() <= 1e-3f * plain.abs().max().item<float>();
    }
    EXPECT_EQ(trial_of(serve(module), ScriptForm::fused).right(), right) << channels;
  }
}

TEST_F(ServedScriptTest, AFormThatFailsIsNotServedAndSaysWhy) {
  // Freezing needs the attribute `training` in evaluation mode.
  torch::jit::Module module("Net");
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define("def forward(self, x):\n    return torch.flatten(torch.mean(x, [2, 3]), 1)\n");
  const ServedScript served = serve(module);
  EXPECT_EQ(served.form, ScriptForm::plain);
  EXPECT_THAT(trial_of(served, ScriptForm::frozen).error, HasSubstr("Freezing"));
  EXPECT_THAT(summary(served), HasSubstr("frozen fails: Freezing"));
}

TEST_F(ServedScriptTest, ScoresThatAreNotFiniteAreRefused) {
  EXPECT_THAT([&] { serve(script("    return torch.mean(x, [2, 3]) / 0.0\n")); },
              fails_with("not finite"));
}

TEST_F(ServedScriptTest, AModuleThatDoesNotRunIsRefusedInOneLine) {
  EXPECT_THAT([&] { serve(script("    return torch.conv2d(x, self.b, self.b)\n")); },
              ThrowsMessage<std::runtime_error>(::testing::Not(HasSubstr("\n"))));
}

TEST_F(ServedScriptTest, ASoftmaxInsideIsToldUnlessTheManifestSaysSo) {
  const std::string body = "    return torch.softmax(torch.mean(x, [2, 3]), 1)\n";
  EXPECT_THAT(serve(script(body)).warnings, ElementsAre(HasSubstr("scores: probabilities")));
  EXPECT_TRUE(serve(script(body)).sums_to_one);
  EXPECT_FALSE(serve(script("    return torch.mean(x, [2, 3])\n")).sums_to_one);
  EXPECT_THAT(serve(script(body), {.scores = Scores::probabilities}).warnings, IsEmpty());
  EXPECT_THAT(serve(script("    return torch.mean(x, [2, 3])\n"), {.scores = Scores::probabilities})
                  .warnings,
              ElementsAre(HasSubstr("do not sum to 1")));
}

// In whatever shape: a collage may give all its rows in one.
TEST_F(ServedScriptTest, ASoftmaxOfEachRowIsTold) {
  classes = 2;
  EXPECT_THAT(serve(script("    y = torch.flatten(torch.mean(x, [3]), 1)[:, :4]\n"
                           "    rows = torch.softmax(torch.reshape(y, [-1, 2]), 1)\n"
                           "    return torch.reshape(rows, [1, 4])\n"))
                  .warnings,
              ElementsAre(HasSubstr("scores: probabilities")));
}

// It has no attribute `training` any more, and LibTorch would rewrite it in place.
TEST_F(ServedScriptTest, AModuleThatWasExportedFrozenStaysAsItIs) {
  torch::jit::Module frozen = hardswish();
  frozen = torch::jit::freeze(frozen);
  const c10::InferenceMode inference;
  const torch::Tensor before = frozen.forward({probes[1]}).toTensor().clone();
  ServedScript served = serve(frozen);
  EXPECT_TRUE(frozen.forward({probes[1]}).toTensor().equal(before));
  EXPECT_TRUE(served.module.forward({probes[1]}).toTensor().allclose(before, 1e-3, 1e-6));
}

TEST_F(ServedScriptTest, AnExportInTrainingModeIsTold) {
  const ServedScript served =
      serve(script("    return torch.mean(torch.dropout(x, 0.5, True), [2, 3])\n"));
  EXPECT_THAT(served.warnings, ElementsAre(HasSubstr("exported in training mode")));
  EXPECT_EQ(served.form, ScriptForm::plain);
}

TEST_F(ServedScriptTest, ATupleIsServedByItsFirst) {
  const ServedScript served = serve(script("    y = torch.mean(x, [2, 3])\n    return y, x\n"));
  EXPECT_EQ(served.numbers, 3u);
}

}  // namespace
}  // namespace models
