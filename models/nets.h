// The network of an Architecture as a LibTorch module, for training and export.
#pragma once

#include <torch/torch.h>

#include "models/architecture.h"

namespace models {

// Convolution 3x3 with padding 1, batch normalisation and, unless told otherwise, ReLU.
// [B, in, H, W] -> [B, out, H / stride, W / stride].
class ConvNormImpl : public torch::nn::Module {
 public:
  ConvNormImpl(int in, int out, int stride, bool activate = true);
  torch::Tensor forward(const torch::Tensor& x);
  // Starts a residual branch at nought, so that a fresh block is the identity.
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

// Input float [B, channels, grid*tile_height, grid*tile_width], normalised; any memory format.
// Output float logits: [B, classes] for grid 1, else [B, grid*grid, classes], cells row by row.
// Weights are drawn from `seed` by the project's own generator, so they do not depend on torch's.
class GridNetImpl : public torch::nn::Module {
 public:
  GridNetImpl(const Architecture& architecture, std::uint64_t seed);
  torch::Tensor forward(torch::Tensor x);
  const Architecture& architecture() const { return architecture_; }

 private:
  void draw_weights(std::uint64_t seed);

  Architecture architecture_;
  torch::nn::Sequential trunk_{nullptr};
  torch::nn::Linear head_{nullptr};
};
TORCH_MODULE(GridNet);

}  // namespace models
