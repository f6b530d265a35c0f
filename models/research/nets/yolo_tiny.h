// YOLOv3-tiny (Redmon and Farhadi 2018, "YOLOv3: An Incremental Improvement") cut to its coarser
// head, the collage network of Narra et al.
//
//     [B, 3, 416, 416] -> 3x3 convolutions of 16, 32, 64, 128, 256, each then halved by max 2x2
//       -> 512, max 2x2 of stride 1 -> 1024 -> 1x1, 256 -> 512 -> 1x1 -> [B, 3*(5+C), 13, 13]
//
// Each of the 13x13 places gives three boxes: centre, size, objectness and C classes, all raw.
// A convolution but the last has batch normalisation and leaky ReLU of slope 0.1.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace models {

// Input float, normalised; any size that 32 divides, any memory format.
class YoloTinyImpl : public torch::nn::Module {
 public:
  explicit YoloTinyImpl(int classes, std::uint64_t seed = 1);
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Sequential layers_{nullptr};
};
TORCH_MODULE(YoloTiny);

// Multiply-accumulates of the convolutions for one side x side picture, in millions.  Requires a
// multiple of 32.
double yolo_tiny_mmac(int classes, int side);

}  // namespace models
