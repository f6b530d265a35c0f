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

// Draws a part of the tile.  A part that is wider or higher than the tile is drawn again; after ten
// such draws the part is the whole tile.
imaging::Rect draw_crop(const Augmentation& policy, machine::Rng& rng) {
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    const double area = policy.crop_area_min + (1 - policy.crop_area_min) * rng.uniform();
    const double aspect = std::pow(policy.crop_aspect_max, 2 * rng.uniform() - 1);
    const double width = std::sqrt(area * aspect);
    const double height = std::sqrt(area / aspect);
    if (width > 1 || height > 1) continue;
    return {.x = (1 - width) * rng.uniform(),
            .y = (1 - height) * rng.uniform(),
            .width = width,
            .height = height};
  }
  return {.x = 0, .y = 0, .width = 1, .height = 1};
}

// The two pixels of a side between which a point lies, and its distance from the first (0..1).
struct Between {
  std::size_t first;
  std::size_t second;
  float share;
};

// The source of each of the `n` pixels of a side that shows the part [begin, begin + length).
std::vector<Between> sources(double begin, double length, int n) {
  std::vector<Between> out;
  for (int i = 0; i < n; ++i) {
    const double at = std::clamp((begin + length * (i + 0.5) / n) * n - 0.5, 0.0, n - 1.0);
    const auto first = static_cast<std::size_t>(at);
    const auto last = static_cast<std::size_t>(n - 1);
    out.push_back({first, std::min(first + 1, last), static_cast<float>(at - std::floor(at))});
  }
  return out;
}

// Not std::lerp: it is exact at both ends and monotonic, which makes it several times slower.
float blend(float from, float to, float share) { return from + share * (to - from); }

// Bilinear interpolation: no ringing and no visible blocks when a part is enlarged up to twice.
std::vector<std::uint8_t> cropped(const imaging::Rect& crop, std::span<const std::uint8_t> tile,
                                  const TileShape& shape) {
  const auto columns = sources(crop.x, crop.width, shape.width);
  const auto channels = static_cast<std::size_t>(shape.channels);
  const std::size_t row = static_cast<std::size_t>(shape.width) * channels;
  std::vector<std::uint8_t> out;
  out.reserve(tile.size());
  for (const Between& y : sources(crop.y, crop.height, shape.height)) {
    for (const Between& x : columns) {
      for (std::size_t c = 0; c < channels; ++c) {
        const auto value = [&](std::size_t from_y, std::size_t from_x) {
          return static_cast<float>(tile[from_y * row + from_x * channels + c]);
        };
        const float upper = blend(value(y.first, x.first), value(y.first, x.second), x.share);
        const float lower = blend(value(y.second, x.first), value(y.second, x.second), x.share);
        out.push_back(static_cast<std::uint8_t>(blend(upper, lower, y.share) + 0.5F));
      }
    }
  }
  return out;
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
  // A recipe without crops draws no number here: its seeds keep their meaning.
  if (policy.crop > 0 && rng.chance(policy.crop)) change.crop = draw_crop(policy, rng);
  change.reflect = policy.reflect;
  const auto shift = [&] { return draw_below(2 * policy.shift_max + 1, rng) - policy.shift_max; };
  if (!change.crop) {
    change.dx = share(shift(), shape.width);
    change.dy = share(shift(), shape.height);
  }
  if (rng.chance(policy.erase)) change.erased = draw_rectangle(shape, policy, rng);
  return change;
}

void apply(const Change& change, std::span<const std::uint8_t> tile, std::span<std::uint8_t> out,
           const TileShape& shape, machine::Rng& noise) {
  COLLAGE_CHECK(tile.size() == shape.bytes() && out.size() == shape.bytes());
  std::vector<std::uint8_t> part;
  if (change.crop) {
    part = cropped(*change.crop, tile, shape);
    tile = part;
  }
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
