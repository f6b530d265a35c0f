// The network of an Architecture as a LibTorch module, for training and export.
#pragma once

#include <torch/torch.h>

#include "models/research/nets/architecture.h"

namespace models {

// Convolution 3x3 with padding 1, batch normalisation and, if `activate`, ReLU.
// [B, in, H, W] -> [B, out, H / stride, W / stride].
class ConvNormImpl : public torch::nn::Module {
 public:
  ConvNormImpl(int in, int out, int stride, bool activate = true);
  torch::Tensor forward(const torch::Tensor& x);
  // Starts a residual branch at 0, so that a fresh block is the identity.
  void zero_scale();

 private:
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
  bool activate_;
};
TORCH_MODULE(ConvNorm);

// x -> relu(x + branch(x)) with a branch of two convolutions of the same width.
class ResidualImpl : public torch::nn::Module {
 public:
  explicit ResidualImpl(int width);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  ConvNorm first_{nullptr};
  ConvNorm second_{nullptr};
};
TORCH_MODULE(Residual);

// A fixed convolution of 2x2 patches into their principal components, each scaled to variance 1
// and taken with both signs, then a trained shift and ReLU; a frozen first layer of this kind about
// halves the epochs that a CIFAR network needs (Page 2018; Jordan 2024, "94% on CIFAR-10 in 3.29
// seconds").  [B, C, H, W] -> [B, 8 C, H, W]; the right and lower border are padded with 0.
class WhitenImpl : public torch::nn::Module {
 public:
  explicit WhitenImpl(int channels);
  torch::Tensor forward(const torch::Tensor& x);
  // From float pictures [B, C, H, W], normalised as the network's input is.
  void fit(const torch::Tensor& pictures);
  torch::Tensor& conv_shift() { return conv_->bias; }

 private:
  torch::nn::Conv2d conv_{nullptr};
};
TORCH_MODULE(Whiten);

// Input float [B, channels, grid*tile_height, grid*tile_width], normalised; any memory format.
// Output float logits: [B, classes] for grid 1, else [B, grid*grid, classes], cells row by row; of
// a detect head [B, map_height*map_width*kAnchors, 5 + classes] as serving/heads/detect.h reads
// them. Weights are drawn from `seed` (nets/draw_weights.h).
class GridNetImpl : public torch::nn::Module {
 public:
  GridNetImpl(const Architecture& architecture, std::uint64_t seed);
  torch::Tensor forward(torch::Tensor x);
  // Fits a whitening stem to tiles [B, channels, tile_height, tile_width]; else does nothing.
  void fit_stem(const torch::Tensor& tiles);
  const Architecture& architecture() const { return architecture_; }

 private:
  // Objectness begins at the share of rows that have a box (Lin et al. 2017), or the rows without
  // one, by far the most, would dominate the loss of the first steps.
  void expect_few_boxes();

  Architecture architecture_;
  Whiten whiten_{nullptr};  // Empty unless the stem whitens.
  torch::nn::Sequential trunk_{nullptr};
  torch::nn::Sequential cell_{nullptr};  // Empty: cells are averaged.
  torch::nn::Linear head_{nullptr};
};
TORCH_MODULE(GridNet);

}  // namespace models
