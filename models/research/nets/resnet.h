// ResNet-34 (He, Zhang, Ren and Sun 2016, "Deep Residual Learning for Image Recognition"), the
// s-CNN of Narra et al. on ImageNet.
//
//     [B, 3, H, W] -> 7x7 / 2, 64 -> max 3x3 / 2 -> 3 blocks of 64 -> 4 of 128 -> 6 of 256
//                  -> 3 of 512 -> map [B, 512, H/32, W/32] -> mean -> logits [B, classes]
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace models {

// x -> relu(shortcut(x) + branch(x)), the branch two 3x3 convolutions with batch normalisation, the
// first of stride `stride`.  Where the shape changes the shortcut is a 1x1 convolution (option B).
// [B, in, H, W] -> [B, out, H / stride, W / stride].
class BasicBlockImpl : public torch::nn::Module {
 public:
  BasicBlockImpl(int in, int out, int stride);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Sequential branch_{nullptr};
  torch::nn::Sequential shortcut_{nullptr};  // Empty for the identity.
};
TORCH_MODULE(BasicBlock);

// Input float, normalised, of any size (224x224 on ImageNet) and memory format.
class ResNet34Impl : public torch::nn::Module {
 public:
  explicit ResNet34Impl(int classes, std::uint64_t seed = 1);
  torch::Tensor forward(const torch::Tensor& x);
  // The last map, [B, 512, H/32, W/32], sides rounded up.
  torch::Tensor features(const torch::Tensor& x);

 private:
  torch::nn::Sequential trunk_{nullptr};
  torch::nn::Linear head_{nullptr};
};
TORCH_MODULE(ResNet34);

// Multiply-accumulates of the convolutions and the linear layer for one side x side picture, in
// millions.
double resnet34_mmac(int classes, int side);

}  // namespace models
