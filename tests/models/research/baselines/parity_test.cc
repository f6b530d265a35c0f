#include "models/research/baselines/parity.h"

#include <gmock/gmock.h>

#include "tests/models/toy_models.h"

namespace models {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Augmentation unchanged() { return {.mirror = 0, .shift_max = 0, .erase = 0}; }

// A linear s-CNN for toy data: the logit of a class is the brightness of its quarter.
torch::Tensor brightness(const torch::Tensor& tiles) {
  return 2 * torch::avg_pool2d(tiles, 4).flatten(1);
}

// A network that is linear in evaluation mode: it splits the picture into what is above and below
// nought, and class c is (c + 1) times the mean of both, plus `bias`.
GridNet linear_net(float bias) {
  Architecture a = toy_architecture(1);
  a.stem_width = 2;
  a.stages = {};
  GridNet net(a, 1);
  net->eval();
  const torch::NoGradGuard no_grad;
  auto parameters = net->named_parameters();
  torch::Tensor& kernel = parameters["trunk.0.conv.weight"];
  kernel.zero_();
  kernel[0][0][1][1] = 1;
  kernel[1][0][1][1] = -1;
  parameters["head.weight"].copy_(
      torch::tensor({{1.0f, -1.0f}, {2.0f, -2.0f}, {3.0f, -3.0f}, {4.0f, -4.0f}}));
  parameters["head.bias"].fill_(bias);
  return net;
}

// Of that network as parity model and, its logits divided by `share`, as teacher.
double linear_loss(ParityCode code, int k, float bias, double share) {
  const Dataset data = toy_data(64, 1);
  GridNet net = linear_net(bias);
  const Teacher teacher{
      .answer = [&](const torch::Tensor& tiles) { return net->forward(tiles) / share; },
      .cache = {}};
  ParityTask task(
      {.tiles = &data}, {.tiles = &data},
      {.code = code,
       .k = k,
       .batch_images = 8 * k,
       .pool = {.bfloat16 = false, .augmentation = {.mirror = 0.5, .shift_max = 2, .erase = 0.5}}},
      teacher);
  EXPECT_EQ(task.begin(0), static_cast<std::size_t>(64 / (8 * k)));
  return task.loss(net, 0).item<double>();
}

TEST(EncodeParity, AdditionSumsNumberByNumber) {
  const torch::Tensor images = torch::tensor({1.0f, 2.0f, 3.0f, 4.0f,      //
                                              10.0f, 20.0f, 30.0f, 40.0f,  //
                                              100.0f, 200.0f, 300.0f, 400.0f})
                                   .reshape({1, 3, 1, 2, 2});
  const torch::Tensor wanted =
      torch::tensor({111.0f, 222.0f, 333.0f, 444.0f}).reshape({1, 1, 2, 2});
  EXPECT_TRUE(encode_parity(ParityCode::addition, images).equal(wanted));
}

TEST(EncodeParity, ConcatenationLaysFourHalvedImagesOutRowByRow) {
  // Image i is i everywhere, but for its upper left pixel, which is 4 more.
  torch::Tensor images =
      torch::arange(4, torch::kFloat).reshape({1, 4, 1, 1, 1}).repeat({1, 1, 1, 4, 4});
  images.slice(3, 0, 1).slice(4, 0, 1) += 4;
  const torch::Tensor wanted = torch::tensor({{1.0f, 0.0f, 2.0f, 1.0f},
                                              {0.0f, 0.0f, 1.0f, 1.0f},
                                              {3.0f, 2.0f, 4.0f, 3.0f},
                                              {2.0f, 2.0f, 3.0f, 3.0f}})
                                   .reshape({1, 1, 4, 4});
  EXPECT_TRUE(encode_parity(ParityCode::concatenation, images).equal(wanted));
}

TEST(EncodeParity, GroupsAndChannelsStayApart) {
  const torch::Tensor images = torch::rand({3, 4, 2, 6, 8});
  for (const ParityCode code : {ParityCode::addition, ParityCode::concatenation}) {
    const torch::Tensor all = encode_parity(code, images);
    EXPECT_EQ(all.sizes(), (std::vector<std::int64_t>{3, 2, 6, 8}));
    const torch::Tensor one = encode_parity(code, images.slice(0, 1, 2).slice(2, 1, 2));
    EXPECT_TRUE(torch::allclose(all.slice(0, 1, 2).slice(1, 1, 2), one));
  }
}

TEST(DecodeParity, SubtractsTheOtherAnswers) {
  const torch::Tensor parity = torch::tensor({{100.0f, 200.0f}});
  const torch::Tensor answers =
      torch::tensor({1.0f, 2.0f, 10.0f, 20.0f, 5.0f, 6.0f}).reshape({1, 3, 2});
  const torch::Tensor wanted = torch::tensor({100.0f - 15, 200.0f - 26,  //
                                              100.0f - 6, 200.0f - 8,    //
                                              100.0f - 11, 200.0f - 22})
                                   .reshape({1, 3, 2});
  EXPECT_TRUE(decode_parity(parity, answers).equal(wanted));
}

TEST(RecoveredLogits, AreTheImagesOwnIfTheParityModelIsExact) {
  const Dataset data = toy_data(301, 1);  // No multiple of k, and more groups than one step.
  const torch::Tensor tiles =
      torch::tensor(std::vector<std::int64_t>(data.pixels.begin(), data.pixels.end()))
          .to(torch::kFloat)
          .reshape({301, 1, 8, 8});
  const torch::Tensor answers = brightness((tiles / 255 - 0.4) / 0.3);
  EXPECT_TRUE(torch::allclose(
      recovered_logits(brightness, answers, data, ParityCode::addition, 2, 1), answers, 0, 1e-4));
}

TEST(RecoveredLogits, OfAModelThatKnowsNothingFollowFromTheOthersInTheGroup) {
  const Dataset data = toy_data(3, 1);
  const torch::Tensor answers = torch::tensor({{1.0f, 0.0f}, {10.0f, 0.0f}, {100.0f, 0.0f}});
  const auto nothing = [](const torch::Tensor& input) { return torch::zeros({input.size(0), 2}); };
  const torch::Tensor all =
      recovered_logits(nothing, answers, data, ParityCode::addition, 4, 1).select(1, 0);
  // Four slots for three images: one image, which begins the order, stands there twice.
  std::vector<float> sums;
  for (std::int64_t i = 0; i < 3; ++i) {
    sums.push_back(-all[i].item<float>() + answers[i][0].item<float>());
  }
  EXPECT_THAT(sums, Each(sums[0]));
  EXPECT_THAT(sums[0], ::testing::AnyOf(112.0f, 121.0f, 211.0f));
}

TEST(ParityTask, TheLossOfAnExactlyLinearModelIsNought) {
  EXPECT_NEAR(linear_loss(ParityCode::addition, 2, 0, 1), 0, 1e-8);
  EXPECT_NEAR(linear_loss(ParityCode::addition, 4, 0, 1), 0, 1e-8);
  // Four images in one picture: its mean is a quarter of the sum of theirs.
  EXPECT_NEAR(linear_loss(ParityCode::concatenation, 4, 0, 4), 0, 1e-8);
}

TEST(ParityTask, TheLossIsTheSquareOfWhatIsMissingFromTheSum) {
  EXPECT_NEAR(linear_loss(ParityCode::addition, 2, 0.5f, 1), 0.25, 1e-4);
  EXPECT_NEAR(linear_loss(ParityCode::addition, 4, 0.5f, 1), 2.25, 1e-4);
}

TEST(ParityTask, GroupsAreDrawnAnewEveryEpoch) {
  const Dataset data = toy_data(64, 1);
  GridNet net = linear_net(0);
  const Teacher teacher{.answer = brightness, .cache = {}};
  const auto loss = [&](int epoch) {
    ParityTask task({.tiles = &data}, {.tiles = &data},
                    {.batch_images = 8,
                     .pool = {.tile_epochs = 2, .bfloat16 = false, .augmentation = unchanged()}},
                    teacher);
    task.begin(epoch);
    return task.loss(net, 0).item<double>();
  };
  EXPECT_EQ(loss(0), loss(0));
  EXPECT_NE(loss(0), loss(1));
}

TEST(ParityTask, TooFewImagesAreRefused) {
  const Dataset data = toy_data(15, 1);
  ParityTask task({.tiles = &data}, {.tiles = &data},
                  {.k = 2, .batch_images = 16, .pool = {.augmentation = unchanged()}},
                  {.answer = brightness, .cache = {}});
  EXPECT_THAT([&] { task.begin(0); }, ThrowsMessage<std::runtime_error>(HasSubstr("fewer images")));
}

TEST(ParityTask, AToyParityModelRecoversFarBetterThanChance) {
  at::set_num_threads(1);
  const Dataset data = toy_data(512, 1);
  const Dataset held_back = toy_data(100, 2);
  ParityTask task(
      {.tiles = &data}, {.tiles = &held_back},
      {.k = 2, .batch_images = 32, .pool = {.bfloat16 = false, .augmentation = unchanged()}},
      {.answer = brightness, .cache = {}});
  GridNet net(toy_architecture(1), 1);
  const double untrained = task.validate(net);
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.02).momentum(0.9));
  for (int epoch = 0; epoch < 6; ++epoch) {
    const std::size_t steps = task.begin(epoch);
    net->train();
    for (std::size_t step = 0; step < steps; ++step) {
      const torch::Tensor loss = task.loss(net, step);
      optimizer.zero_grad();
      loss.backward();
      optimizer.step();
    }
  }
  EXPECT_LT(untrained, 0.5);  // Chance is a quarter.
  EXPECT_GT(task.validate(net), 0.8);
}

}  // namespace
}  // namespace models
