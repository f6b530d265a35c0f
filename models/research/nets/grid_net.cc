#include "models/research/nets/grid_net.h"

#include <cmath>

#include "models/research/nets/draw_weights.h"

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

WhitenImpl::WhitenImpl(int channels) {
  conv_ = register_module("conv",
                          torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, 8 * channels, 2)));
  conv_->weight.set_requires_grad(false);
}

torch::Tensor WhitenImpl::forward(const torch::Tensor& x) {
  return torch::relu(conv_->forward(torch::constant_pad_nd(x, {0, 1, 0, 1})));
}

void WhitenImpl::fit(const torch::Tensor& pictures) {
  constexpr double kVarianceMin = 5e-4;  // As Jordan: what hardly varies is not blown up.
  const torch::NoGradGuard no_grad;
  const std::int64_t size = 4 * pictures.size(1);
  const torch::Tensor patches =
      torch::im2col(pictures, {2, 2}, {1, 1}, {0, 0}, {1, 1}).transpose(1, 2).reshape({-1, size});
  const torch::Tensor centred = (patches - patches.mean(0)).to(torch::kDouble);
  const torch::Tensor covariance =
      centred.t().matmul(centred) / static_cast<double>(centred.size(0));
  const auto [variances, directions] = torch::linalg_eigh(covariance, "U");
  const torch::Tensor filters = (directions / (variances + kVarianceMin).sqrt()).t();
  conv_->weight.copy_(torch::cat({filters, -filters}).reshape(conv_->weight.sizes()));
}

namespace {

torch::ExpandingArray<2> cell_size(const Architecture& a) {
  return {{a.tile_height / a.reduction(), a.tile_width / a.reduction()}};
}

}  // namespace

GridNetImpl::GridNetImpl(const Architecture& architecture, std::uint64_t seed)
    : architecture_(architecture) {
  check(architecture_);
  if (architecture_.whitened) whiten_ = register_module("whiten", Whiten(architecture_.channels));
  trunk_ = register_module("trunk", torch::nn::Sequential());
  if (!architecture_.whitened) {
    trunk_->push_back(ConvNorm(architecture_.channels, architecture_.stem_width,
                               architecture_.stem_halves ? 2 : 1));
  }
  int in = architecture_.stem_width;
  for (const StageShape& stage : architecture_.stages) {
    if (has_entry(stage, in)) {
      trunk_->push_back(ConvNorm(in, stage.width, stage.halve ? 2 : 1));
    }
    if (stage.pool) trunk_->push_back(torch::nn::MaxPool2d(2));
    for (int i = 0; i < stage.blocks; ++i) trunk_->push_back(Residual(stage.width));
    in = stage.width;
  }
  if (architecture_.cell_width > 0) {
    const torch::ExpandingArray<2> cell = cell_size(architecture_);
    const auto options =
        torch::nn::Conv2dOptions(in, architecture_.cell_width, cell).stride(cell).bias(false);
    cell_ = register_module(
        "cell",
        torch::nn::Sequential(torch::nn::Conv2d(options),
                              torch::nn::BatchNorm2d(architecture_.cell_width), torch::nn::ReLU()));
  }
  head_ = register_module(
      "head", torch::nn::Linear(architecture_.feature_width(), architecture_.head_width()));
  draw_weights(*this, seed);
  if (architecture_.head == Head::detect) expect_few_boxes();
}

void GridNetImpl::expect_few_boxes() {
  const torch::NoGradGuard no_grad;
  const double rows = architecture_.map_width() * architecture_.map_height() * kAnchors;
  head_->bias.reshape({kAnchors, -1}).select(1, 4).fill_(-std::log(rows / architecture_.slots()));
}

void GridNetImpl::fit_stem(const torch::Tensor& tiles) {
  if (whiten_) whiten_->fit(tiles);
}

torch::Tensor GridNetImpl::forward(torch::Tensor x) {
  if (whiten_) x = whiten_->forward(x);
  x = trunk_->forward(x);
  if (architecture_.head == Head::detect) {
    x = head_->forward(x.flatten(2).transpose(1, 2));
    return x.reshape({-1, x.size(1) * kAnchors, 5 + architecture_.classes});
  }
  // A window, not adaptive pooling: the cell is exactly the tile's share of the map.  Its size
  // comes from the map, because the first epochs of a recipe may show smaller tiles.
  const int grid = architecture_.grid;
  x = cell_ ? cell_->forward(x) : torch::avg_pool2d(x, {x.size(2) / grid, x.size(3) / grid});
  x = x.flatten(2).transpose(1, 2);
  return head_->forward(architecture_.grid == 1 ? x.flatten(1) : x);
}

}  // namespace models
