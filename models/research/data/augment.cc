#include "models/research/data/augment.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "wire/check.h"

namespace models {
namespace {

// A length between the shares `low` and `high` of `side`, at least 1.
int draw_length(int side, double low, double high, machine::Rng& rng) {
  const double length = side * (low + (high - low) * rng.uniform());
  return std::clamp(static_cast<int>(std::lround(length)), 1, side);
}

int draw_below(int n, machine::Rng& rng) {
  return static_cast<int>(rng.below(static_cast<std::uint64_t>(n)));
}

double share(int pixels, int side) { return static_cast<double>(pixels) / side; }

int pixels(double share, int side) { return static_cast<int>(std::lround(share * side)); }

// Anywhere in the tile; sides in pixels.
imaging::Rect draw_place(const TileShape& shape, int width, int height, machine::Rng& rng) {
  const int left = draw_below(shape.width - width + 1, rng);
  const int top = draw_below(shape.height - height + 1, rng);
  return {.x = share(left, shape.width),
          .y = share(top, shape.height),
          .width = share(width, shape.width),
          .height = share(height, shape.height)};
}

imaging::Rect draw_rectangle(const TileShape& shape, const Augmentation& policy,
                             machine::Rng& rng) {
  const int width = draw_length(shape.width, policy.erase_side_min, policy.erase_side_max, rng);
  const int height = draw_length(shape.height, policy.erase_side_min, policy.erase_side_max, rng);
  return draw_place(shape, width, height, rng);
}

struct Run {
  std::size_t begin;  // Of a tile's bytes.
  std::size_t bytes;
};

// The rows of a rectangle.  Edges are rounded, not lengths, so that at no size it leaves the tile.
std::vector<Run> rows_of(const imaging::Rect& rect, const TileShape& shape) {
  const int left = pixels(rect.x, shape.width);
  const int right = pixels(rect.x + rect.width, shape.width);
  const int bottom = pixels(rect.y + rect.height, shape.height);
  std::vector<Run> rows;
  for (int y = pixels(rect.y, shape.height); y < bottom; ++y) {
    rows.push_back({static_cast<std::size_t>((y * shape.width + left) * shape.channels),
                    static_cast<std::size_t>((right - left) * shape.channels)});
  }
  return rows;
}

void erase(const imaging::Rect& rect, std::span<std::uint8_t> out, const TileShape& shape,
           machine::Rng& noise) {
  for (const Run& row : rows_of(rect, shape)) {
    for (std::uint8_t& value : out.subspan(row.begin, row.bytes)) {
      value = static_cast<std::uint8_t>(noise.next() >> 56);
    }
  }
}

// The pixel at `i` of a row of `n`, or what is reflected there; the border pixel is not repeated.
// Requires -n < i < 2 n - 1.
int reflected(int i, int n) { return i < 0 ? -i : i < n ? i : 2 * (n - 1) - i; }

}  // namespace

Change draw_change(const TileShape& shape, const Augmentation& policy, machine::Rng& rng) {
  Change change;
  change.mirror = rng.chance(policy.mirror);
  change.reflect = policy.reflect;
  const auto shift = [&] { return draw_below(2 * policy.shift_max + 1, rng) - policy.shift_max; };
  change.dx = share(shift(), shape.width);
  change.dy = share(shift(), shape.height);
  if (rng.chance(policy.erase)) change.erased = draw_rectangle(shape, policy, rng);
  return change;
}

void apply(const Change& change, std::span<const std::uint8_t> tile, std::span<std::uint8_t> out,
           const TileShape& shape, machine::Rng& noise) {
  COLLAGE_CHECK(tile.size() == shape.bytes() && out.size() == shape.bytes());
  const int dx = pixels(change.dx, shape.width);
  const int dy = pixels(change.dy, shape.height);
  const auto channels = static_cast<std::size_t>(shape.channels);
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      int from_y = y - dy;
      int from_x = (change.mirror ? shape.width - 1 - x : x) - dx;
      if (change.reflect) {
        from_y = reflected(from_y, shape.height);
        from_x = reflected(from_x, shape.width);
      }
      const bool inside =
          from_x >= 0 && from_x < shape.width && from_y >= 0 && from_y < shape.height;
      for (std::size_t c = 0; c < channels; ++c) {
        const auto to = static_cast<std::size_t>(y * shape.width + x) * channels + c;
        const auto from = static_cast<std::size_t>(from_y * shape.width + from_x) * channels + c;
        out[to] = inside ? tile[from] : 0;
      }
    }
  }
  if (change.erased) erase(*change.erased, out, shape, noise);
}

void augment(std::span<const std::uint8_t> tile, std::span<std::uint8_t> out,
             const TileShape& shape, const Augmentation& policy, machine::Rng& rng) {
  apply(draw_change(shape, policy, rng), tile, out, shape, rng);
}

imaging::Rect draw_patch(const TileShape& shape, machine::Rng& rng) {
  const double side = std::sqrt(rng.uniform());
  const int width = draw_length(shape.width, side, side, rng);
  const int height = draw_length(shape.height, side, side, rng);
  return draw_place(shape, width, height, rng);
}

void paste(const imaging::Rect& patch, std::span<const std::uint8_t> from,
           std::span<std::uint8_t> onto, const TileShape& shape) {
  COLLAGE_CHECK(from.size() == shape.bytes() && onto.size() == shape.bytes());
  for (const Run& row : rows_of(patch, shape)) {
    std::ranges::copy(from.subspan(row.begin, row.bytes), onto.subspan(row.begin).begin());
  }
}

}  // namespace models
