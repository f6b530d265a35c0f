#include "models/research/nets/draw_weights.h"

#include <cmath>
#include <string_view>

#include "machine/random.h"

namespace models {

void draw_weights(torch::nn::Module& net, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  machine::Rng rng(seed);
  for (auto& item : net.named_parameters()) {
    torch::Tensor& weight = item.value();
    if (std::string_view(item.key()).ends_with("bias")) weight.zero_();
    if (weight.dim() < 2) continue;
    const auto fan_in = static_cast<double>(weight.numel() / weight.size(0));
    const double scale = std::sqrt((weight.dim() == 4 ? 2.0 : 1.0) / fan_in);
    auto* values = weight.data_ptr<float>();
    for (std::int64_t i = 0; i < weight.numel(); ++i) {
      values[i] = static_cast<float>(scale * rng.normal());
    }
  }
}

}  // namespace models
