#include "models/augment.h"

#include <algorithm>
#include <cmath>

#include "wire/check.h"

namespace models {
namespace {

// A length between the shares `low` and `high` of `side`, at least 1.
int draw_length(int side, double low, double high, wire::Rng& rng) {
  const double length = side * (low + (high - low) * rng.uniform());
  return std::clamp(static_cast<int>(std::lround(length)), 1, side);
}

int draw_below(int n, wire::Rng& rng) {
  return static_cast<int>(rng.below(static_cast<std::uint64_t>(n)));
}

void erase_rectangle(std::span<std::uint8_t> out, const TileShape& shape,
                     const Augmentation& policy, wire::Rng& rng) {
  const int width = draw_length(shape.width, policy.erase_side_min, policy.erase_side_max, rng);
  const int height = draw_length(shape.height, policy.erase_side_min, policy.erase_side_max, rng);
  const int left = draw_below(shape.width - width + 1, rng);
  const int top = draw_below(shape.height - height + 1, rng);
  for (int y = top; y < top + height; ++y) {
    const auto begin = static_cast<std::size_t>((y * shape.width + left) * shape.channels);
    const auto count = static_cast<std::size_t>(width * shape.channels);
    for (std::uint8_t& value : out.subspan(begin, count)) {
      value = static_cast<std::uint8_t>(rng.next() >> 56);
    }
  }
}

}  // namespace

void augment(std::span<const std::uint8_t> tile, std::span<std::uint8_t> out,
             const TileShape& shape, const Augmentation& policy, wire::Rng& rng) {
  COLLAGE_CHECK(tile.size() == shape.bytes() && out.size() == shape.bytes());
  const bool mirror = rng.chance(policy.mirror);
  const int dx = draw_below(2 * policy.shift_max + 1, rng) - policy.shift_max;
  const int dy = draw_below(2 * policy.shift_max + 1, rng) - policy.shift_max;
  const auto channels = static_cast<std::size_t>(shape.channels);
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      const int from_y = y - dy;
      const int from_x = (mirror ? shape.width - 1 - x : x) - dx;
      const bool inside =
          from_x >= 0 && from_x < shape.width && from_y >= 0 && from_y < shape.height;
      for (std::size_t c = 0; c < channels; ++c) {
        const auto to = static_cast<std::size_t>(y * shape.width + x) * channels + c;
        const auto from = static_cast<std::size_t>(from_y * shape.width + from_x) * channels + c;
        out[to] = inside ? tile[from] : 0;
      }
    }
  }
  if (rng.chance(policy.erase)) erase_rectangle(out, shape, policy, rng);
}

}  // namespace models
