#include "imaging/resample.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

namespace imaging {
namespace {

// Weights have 14 bits behind the point, so that their product with a row between the two passes,
// which has 6, stays within 31 bits, overshoot of the wider filters included.
constexpr int kWeightBits = 14;
constexpr int kRowBits = 6;
constexpr std::int32_t kOne = 1 << kWeightBits;

// The weights of the source pixels from `first` on; their sum is kOne.
struct Window {
  int first = 0;
  std::vector<std::int16_t> weights;
};

double cubic(double x, double a) {
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

double sinc(double x) {
  return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
}

struct Filter {
  Interpolation kind;
  double widening;  // How many source pixels a unit of the filter is.

  double support() const {
    switch (kind) {
      case Interpolation::bilinear:
        return widening;
      case Interpolation::bicubic:
        return 2 * widening;
      case Interpolation::lanczos:
        return 3 * widening;
      case Interpolation::area:
        break;
    }
    return widening / 2 + 0.5;
  }

  // `distance` from the middle of the window to the middle of a pixel.
  double weight(double distance) const {
    const double x = std::abs(distance) / widening;
    switch (kind) {
      case Interpolation::bilinear:
        return std::max(0.0, 1 - x);
      case Interpolation::bicubic:
        // Pillow antialiases with -0.5; OpenCV and PyTorch interpolate with -0.75.
        return cubic(x, antialias ? -0.5 : -0.75);
      case Interpolation::lanczos:
        return x < 3 ? sinc(x) * sinc(x / 3) : 0;
      case Interpolation::area:
        break;
    }
    // The part of the pixel that is inside.
    return std::clamp(widening / 2 + 0.5 - std::abs(distance), 0.0, std::min(1.0, widening));
  }

  bool antialias = true;
};

// Rounds weights so that their sum is exact: each takes over what those before it were short of.
std::vector<std::int16_t> rounded(const std::vector<double>& weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  std::vector<std::int16_t> out;
  double exact = 0;
  std::int64_t given = 0;
  for (const double weight : weights) {
    exact += weight / sum * kOne;
    const std::int64_t rest = std::llround(exact) - given;
    out.push_back(static_cast<std::int16_t>(rest));
    given += rest;
  }
  return out;
}

Window window_at(double middle, int extent, const Filter& filter) {
  const double support = filter.support();
  Window window;
  const double low = std::floor(middle - support + 0.5);
  const double high = std::floor(middle + support + 0.5);
  window.first = static_cast<int>(std::clamp(low, 0.0, extent - 1.0));
  const int end = static_cast<int>(std::clamp(high, window.first + 1.0, extent + 0.0));
  std::vector<double> weights;
  for (int i = window.first; i < end; ++i) weights.push_back(filter.weight(i + 0.5 - middle));
  // A window of nothing but zeros can only be that of an enlarging filter beyond the edge.
  if (std::ranges::all_of(weights, [](double weight) { return weight == 0; })) weights[0] = 1;
  window.weights = rounded(weights);
  return window;
}

std::vector<Window> windows_of(const Axis& axis, int extent, Interpolation kind, bool antialias) {
  const bool wide = antialias || kind == Interpolation::area;
  const Filter filter{
      .kind = kind, .widening = wide ? std::max(1.0, axis.scale) : 1.0, .antialias = antialias};
  std::vector<Window> windows;
  for (int i = 0; i < axis.count; ++i) {
    windows.push_back(window_at(axis.begin + (i + 0.5) * axis.scale, extent, filter));
  }
  return windows;
}

// Compiled twice, for processors that add sixteen or eight numbers at once; integers, so that both
// give the same.  Not under sanitizers, which start after the choice is made.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define IMAGING_FOR_EACH_PROCESSOR __attribute__((target_clones("avx2", "default")))
#else
#define IMAGING_FOR_EACH_PROCESSOR
#endif

// The first pass: one row of the result at the source's width, from the columns of [first, end).
// Down before across, because whole rows are added, which the compiler turns into vector code.
IMAGING_FOR_EACH_PROCESSOR
void blend_rows(const Samples& source, const Window& rows, std::size_t first, std::size_t end,
                std::vector<std::int32_t>& sums, std::vector<std::int16_t>& out) {
  const std::size_t length = end - first;
  std::fill(sums.begin(), sums.end(), std::int32_t{1} << (kWeightBits - kRowBits - 1));
  for (std::size_t k = 0; k < rows.weights.size(); ++k) {
    const std::int16_t weight = rows.weights[k];
    const std::uint8_t* const row = source.row(rows.first + static_cast<int>(k)) + first;
    std::int32_t* const sum = sums.data();
    for (std::size_t i = 0; i < length; ++i) {
      sum[i] += weight * static_cast<std::int16_t>(row[i]);
    }
  }
  for (std::size_t i = 0; i < length; ++i) {
    out[i] = static_cast<std::int16_t>(sums[i] >> (kWeightBits - kRowBits));
  }
}

std::uint8_t clamped(std::int32_t sum) {
  constexpr int kBits = kWeightBits + kRowBits;
  return static_cast<std::uint8_t>(
      std::clamp((sum + (std::int32_t{1} << (kBits - 1))) >> kBits, 0, 255));
}

// The second pass: a row of the result from a row between the passes, which begins at column
// `first` of the source.
template <int kChannels>
void blend_columns(const std::vector<std::int16_t>& row, int first,
                   const std::vector<Window>& windows, std::uint8_t* out) {
  for (const Window& window : windows) {
    const std::int16_t* pixel = row.data() + std::ptrdiff_t{window.first - first} * kChannels;
    std::int32_t sums[kChannels] = {};
    for (const std::int16_t weight : window.weights) {
      for (int c = 0; c < kChannels; ++c) sums[c] += weight * pixel[c];
      pixel += kChannels;
    }
    for (const std::int32_t sum : sums) *out++ = clamped(sum);
  }
}

bool is_copy(const Axis& axis, int extent) {
  return axis.begin == 0 && axis.scale == 1 && axis.count == extent;
}

}  // namespace

bool is_copy(const Samples& source, const Geometry& geometry) {
  return is_copy(geometry.x, source.width) && is_copy(geometry.y, source.height);
}

Samples resample(const Samples& source, const Geometry& geometry, Interpolation interpolation,
                 bool antialias) {
  const auto columns = windows_of(geometry.x, source.width, interpolation, antialias);
  const auto rows = windows_of(geometry.y, source.height, interpolation, antialias);
  const int first = columns.front().first;
  const int end = columns.back().first + static_cast<int>(columns.back().weights.size());
  const auto channels = static_cast<std::size_t>(source.channels);
  const std::size_t first_sample = static_cast<std::size_t>(first) * channels;
  const std::size_t end_sample = static_cast<std::size_t>(end) * channels;

  Samples out = new_samples(geometry.x.count, geometry.y.count, source.channels, source.coding);
  out.icc = source.icc;
  std::vector<std::int32_t> sums(end_sample - first_sample);
  std::vector<std::int16_t> row(end_sample - first_sample);
  const auto across = channels == 1   ? blend_columns<1>
                      : channels == 3 ? blend_columns<3>
                                      : blend_columns<4>;
  for (int y = 0; y < out.height; ++y) {
    blend_rows(source, rows[static_cast<std::size_t>(y)], first_sample, end_sample, sums, row);
    across(row, first, columns, out.row(y));
  }
  return out;
}

}  // namespace imaging
