#include "models/research/nets/yolo_tiny.h"

#include <limits>

#include "models/research/nets/draw_weights.h"
#include "wire/check.h"

namespace models {
namespace {

enum class Pool : std::uint8_t { none, halve, keep };

struct Layer {
  int width;
  int kernel;
  Pool pool;  // After it.
};
constexpr Layer kLayers[] = {
    {16, 3, Pool::halve},  {32, 3, Pool::halve},  {64, 3, Pool::halve},
    {128, 3, Pool::halve}, {256, 3, Pool::halve}, {512, 3, Pool::keep},
    {1024, 3, Pool::none}, {256, 1, Pool::none},  {512, 3, Pool::none},
};
constexpr int kBoxes = 3;  // Anchors a place.

int head_width(int classes) { return kBoxes * (5 + classes); }

torch::nn::MaxPool2d max_pool(int stride) {
  return torch::nn::MaxPool2d(torch::nn::MaxPool2dOptions(2).stride(stride));
}

}  // namespace

YoloTinyImpl::YoloTinyImpl(int classes, std::uint64_t seed) {
  layers_ = register_module("layers", torch::nn::Sequential());
  int in = 3;
  for (const Layer& layer : kLayers) {
    layers_->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, layer.width, layer.kernel)
                                             .padding(layer.kernel / 2)
                                             .bias(false)));
    layers_->push_back(torch::nn::BatchNorm2d(layer.width));
    layers_->push_back(torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.1)));
    if (layer.pool == Pool::halve) layers_->push_back(max_pool(2));
    if (layer.pool == Pool::keep) {
      // Right and bottom; not with 0, which would be more than a negative neighbour.
      layers_->push_back(torch::nn::ConstantPad2d(
          torch::nn::ConstantPad2dOptions({0, 1, 0, 1}, -std::numeric_limits<double>::infinity())));
      layers_->push_back(max_pool(1));
    }
    in = layer.width;
  }
  layers_->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, head_width(classes), 1)));
  draw_weights(*this, seed);
}

torch::Tensor YoloTinyImpl::forward(const torch::Tensor& x) { return layers_->forward(x); }

double yolo_tiny_mmac(int classes, int side) {
  COLLAGE_CHECK(side % 32 == 0);
  double sum = 0;
  int map = side;
  int in = 3;
  for (const Layer& layer : kLayers) {
    sum += static_cast<double>(in) * layer.width * layer.kernel * layer.kernel * map * map;
    if (layer.pool == Pool::halve) map /= 2;
    in = layer.width;
  }
  return (sum + static_cast<double>(in) * head_width(classes) * map * map) / 1e6;
}

}  // namespace models
