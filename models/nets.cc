#include "models/nets.h"

#include <cmath>

#include "wire/random.h"

namespace models {

ConvNormImpl::ConvNormImpl(int in, int out, int stride, bool activate) : activate_(activate) {
  conv_ = register_module(
      "conv", torch::nn::Conv2d(
                  torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)));
  norm_ = register_module("norm", torch::nn::BatchNorm2d(out));
}

torch::Tensor ConvNormImpl::forward(const torch::Tensor& x) {
  const torch::Tensor y = norm_->forward(conv_->forward(x));
  return activate_ ? torch::relu(y) : y;
}

void ConvNormImpl::zero_scale() {
  const torch::NoGradGuard no_grad;
  norm_->weight.zero_();
}

ResidualImpl::ResidualImpl(int width) {
  first_ = register_module("first", ConvNorm(width, width, 1));
  second_ = register_module("second", ConvNorm(width, width, 1, false));
  second_->zero_scale();
}

torch::Tensor ResidualImpl::forward(const torch::Tensor& x) {
  return torch::relu(x + second_->forward(first_->forward(x)));
}

GridNetImpl::GridNetImpl(const Architecture& architecture, std::uint64_t seed)
    : architecture_(architecture) {
  check(architecture_);
  trunk_ = register_module("trunk", torch::nn::Sequential());
  trunk_->push_back(ConvNorm(architecture_.channels, architecture_.stem_width,
                             architecture_.stem_halves ? 2 : 1));
  int in = architecture_.stem_width;
  for (const StageShape& stage : architecture_.stages) {
    if (stage.halve || in != stage.width) {
      trunk_->push_back(ConvNorm(in, stage.width, stage.halve ? 2 : 1));
    }
    for (int i = 0; i < stage.blocks; ++i) trunk_->push_back(Residual(stage.width));
    in = stage.width;
  }
  head_ = register_module("head", torch::nn::Linear(in, architecture_.classes));
  draw_weights(seed);
}

torch::Tensor GridNetImpl::forward(torch::Tensor x) {
  x = trunk_->forward(x);
  if (architecture_.grid == 1) return head_->forward(x.mean({2, 3}));
  // A fixed window, not adaptive pooling: the cell is exactly the tile's share of the map.
  const int reduction = architecture_.reduction();
  x = torch::avg_pool2d(
      x, {architecture_.tile_height / reduction, architecture_.tile_width / reduction});
  return head_->forward(x.flatten(2).transpose(1, 2));
}

void GridNetImpl::draw_weights(std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  wire::Rng rng(seed);
  for (auto& item : named_parameters()) {
    torch::Tensor& weight = item.value();
    if (weight.dim() < 2) continue;  // Batch normalisation keeps its ones and noughts.
    // He et al. 2015: variance 2 / fan-in keeps the signal's scale through ReLU.
    const auto fan_in = static_cast<double>(weight.numel() / weight.size(0));
    const double scale = std::sqrt((weight.dim() == 4 ? 2.0 : 1.0) / fan_in);
    auto* values = weight.data_ptr<float>();
    for (std::int64_t i = 0; i < weight.numel(); ++i) {
      values[i] = static_cast<float>(scale * rng.normal());
    }
  }
  head_->bias.zero_();
}

}  // namespace models
