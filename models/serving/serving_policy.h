// How a network is to be served, where there is a choice.
#pragma once

#include <cstddef>
#include <cstdint>

namespace models {

// The numbers that a network computes with.
enum class Precision : std::uint8_t {
  automatic,  // bfloat16 where it is faster and known to cost next to nothing, else float.
  float32,
  bfloat16,  // TorchScript only.
};

// What bfloat16 costs a network, measured on held-back images by `collage-train quantise`.
struct Bfloat16Cost {
  double lost = 0;         // Right answers in float less those in bfloat16, a share of the images.
  std::size_t images = 0;  // 0: it has not been measured.
  bool operator==(const Bfloat16Cost&) const = default;
};

// With fewer images one more wrong answer is half of what is allowed.
inline constexpr std::size_t kCostImagesMin = 2000;
// Whether it has been measured by enough images, and is below a tenth of a percent.
constexpr bool negligible(const Bfloat16Cost& cost) {
  return cost.images >= kCostImagesMin && cost.lost < 0.001;
}

// Whether this processor has instructions for it (AVX512-BF16 or AMX); without them LibTorch takes
// a hundred times as long.
bool computes_bfloat16();

struct ServingPolicy {
  std::size_t together_max = 1;  // Pictures that one inference may take; > 0.
  Precision precision = Precision::automatic;
  bool operator==(const ServingPolicy&) const = default;
};

}  // namespace models
