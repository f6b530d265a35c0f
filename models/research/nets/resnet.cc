#include "models/research/nets/resnet.h"

#include "models/research/nets/draw_weights.h"

namespace models {
namespace {

using torch::nn::BatchNorm2d;
using torch::nn::Conv2d;
using torch::nn::Conv2dOptions;
using torch::nn::Sequential;

constexpr int kStemWidth = 64;

struct Stage {
  int width;
  int blocks;
  int stride;  // Of the first block.
};
constexpr Stage kStages[] = {{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}};

Conv2d convolution(int in, int out, int kernel, int stride) {
  return Conv2d(Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

}  // namespace

BasicBlockImpl::BasicBlockImpl(int in, int out, int stride) {
  branch_ = register_module(
      "branch", Sequential(convolution(in, out, 3, stride), BatchNorm2d(out), torch::nn::ReLU(),
                           convolution(out, out, 3, 1), BatchNorm2d(out)));
  if (in == out && stride == 1) return;
  shortcut_ =
      register_module("shortcut", Sequential(convolution(in, out, 1, stride), BatchNorm2d(out)));
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& x) {
  return torch::relu((shortcut_.is_empty() ? x : shortcut_->forward(x)) + branch_->forward(x));
}

ResNet34Impl::ResNet34Impl(int classes, std::uint64_t seed) {
  trunk_ = register_module(
      "trunk",
      Sequential(convolution(3, kStemWidth, 7, 2), BatchNorm2d(kStemWidth), torch::nn::ReLU(),
                 torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(3).stride(2).padding(1))));
  int in = kStemWidth;
  for (const Stage& stage : kStages) {
    for (int i = 0; i < stage.blocks; ++i) {
      trunk_->push_back(BasicBlock(in, stage.width, i == 0 ? stage.stride : 1));
      in = stage.width;
    }
  }
  head_ = register_module("head", torch::nn::Linear(in, classes));
  draw_weights(*this, seed);
}

torch::Tensor ResNet34Impl::features(const torch::Tensor& x) { return trunk_->forward(x); }

torch::Tensor ResNet34Impl::forward(const torch::Tensor& x) {
  return head_->forward(features(x).mean({2, 3}));
}

double resnet34_mmac(int classes, int side) {
  const auto half = [](int length) { return (length + 1) / 2; };
  const auto cost = [](int in, int out, int kernel, int map) {
    return static_cast<double>(in) * out * kernel * kernel * map * map;
  };
  int map = half(side);
  double sum = cost(3, kStemWidth, 7, map);
  map = half(map);
  int in = kStemWidth;
  for (const Stage& stage : kStages) {
    if (stage.stride == 2) map = half(map);
    if (in != stage.width) sum += cost(in, stage.width, 1, map);
    sum += cost(in, stage.width, 3, map) +
           (2 * stage.blocks - 1) * cost(stage.width, stage.width, 3, map);
    in = stage.width;
  }
  return (sum + static_cast<double>(in) * classes) / 1e6;
}

}  // namespace models
