#include "models/research/nets/export_script.h"

#include <gtest/gtest.h>

#include "models/research/nets/catalogue.h"
#include "models/research/nets/resnet.h"
#include "models/research/nets/yolo_tiny.h"
#include "models/serving/script.h"

namespace models {
namespace {

std::filesystem::path temporary(const std::string& name) {
  return std::filesystem::path(::testing::TempDir()) / name;
}

const Subject kGrey{.tile = {.width = 28, .height = 28, .channels = 1}, .classes = 10};

torch::Tensor noise(std::int64_t batch, const Architecture& a) {
  return torch::rand({batch, a.channels, a.input_height(), a.input_width()});
}

TEST(ExportScript, AnswersAsTheNativeNetworkDoesAtAnyBatchSize) {
  const torch::NoGradGuard no_grad;
  for (const Architecture& a : {single_architecture(kGrey), collage_architecture(kGrey, 3),
                                detect_architecture(kGrey, 3)}) {
    GridNet net(a, 1);
    net->train();
    for (int i = 0; i < 3; ++i) net->forward(noise(4, a));  // Moves the running statistics.
    const std::filesystem::path file = temporary("script_" + a.name + ".pt");
    export_script(net, file);
    torch::jit::Module plain = load_script(file).module;
    torch::jit::Module copy = load_script(file).module;
    torch::jit::Module fused = torch::jit::optimize_for_inference(copy);
    for (const std::int64_t batch : {1, 2, 5}) {
      const torch::Tensor input = noise(batch, a);
      const torch::Tensor native = net->forward(input);
      EXPECT_TRUE(torch::allclose(plain.forward({input}).toTensor(), native, 0, 1e-4)) << a.name;
      EXPECT_TRUE(torch::allclose(fused.forward({input}).toTensor(), native, 0, 1e-4)) << a.name;
    }
    std::filesystem::remove(file);
  }
}

TEST(ExportScript, TheFileHasWeightsOfSixteenBitsAndTheNetworkItsRoundedOnes) {
  const torch::NoGradGuard no_grad;
  const Architecture a = collage_architecture(kGrey, 3);
  GridNet net(a, 1);
  const std::filesystem::path file = temporary("half.pt");
  export_script(net, file);
  EXPECT_LT(std::filesystem::file_size(file), 2 * parameter_count(a) + 100'000);
  for (const torch::Tensor& p : load_script(file).module.parameters()) {
    EXPECT_EQ(p.scalar_type(), torch::kFloat);
  }
  for (const torch::Tensor& p : net->parameters()) {
    const bool rounded = p.equal(p.to(torch::kHalf).to(torch::kFloat));
    EXPECT_TRUE(rounded || p.dim() <= 1);
  }
  std::filesystem::remove(file);
}

TEST(ExportScript, TheNetworksOfThePaperAreWrittenToo) {
  const torch::NoGradGuard no_grad;
  const std::filesystem::path file = temporary("paper.pt");
  ResNet34 resnet(10);
  const auto classify = [&](const torch::Tensor& x) { return resnet->forward(x); };
  export_script(*resnet, classify, torch::zeros({1, 3, 64, 64}), file);
  const torch::Tensor picture = torch::rand({2, 3, 96, 64});
  EXPECT_TRUE(torch::allclose(load_script(file).module.forward({picture}).toTensor(),
                              resnet->forward(picture), 1e-4, 1e-4));
  YoloTiny yolo(10);
  const auto detect = [&](const torch::Tensor& x) { return yolo->forward(x); };
  export_script(*yolo, detect, torch::zeros({1, 3, 64, 64}), file);
  const torch::Tensor collage = torch::rand({1, 3, 96, 96});
  EXPECT_TRUE(torch::allclose(load_script(file).module.forward({collage}).toTensor(),
                              yolo->forward(collage), 1e-4, 1e-4));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace models
