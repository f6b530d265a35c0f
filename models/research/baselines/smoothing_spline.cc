#include "models/research/baselines/smoothing_spline.h"

#include <algorithm>

#include "wire/check.h"

namespace models {
namespace {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

// Solves a x = b for each column of b, by elimination.  `a` is positive definite, so that no pivot
// need be chosen.
Matrix solve(Matrix a, Matrix b) {
  const std::size_t n = a.size();
  const auto subtract = [](Row& from, double times, const Row& row) {
    for (std::size_t c = 0; c < row.size(); ++c) from[c] -= times * row[c];
  };
  for (std::size_t pivot = 0; pivot < n; ++pivot) {
    for (std::size_t r = 0; r < n; ++r) {
      if (r == pivot) continue;
      const double times = a[r][pivot] / a[pivot][pivot];
      subtract(a[r], times, a[pivot]);
      subtract(b[r], times, b[pivot]);
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    for (double& x : b[r]) x /= a[r][r];
  }
  return b;
}

// What each value counts for in the spline's value and second derivative at each knot.
struct Spline {
  Matrix values;  // [n, n]
  Matrix bends;   // [n, n]; the first and the last row are 0: a natural spline is straight there.
};

// The algorithm of Reinsch 1967, in the notation of Green and Silverman 1994, section 2.3:
// (R + lambda Q'Q) bends = Q' values, where Q' takes second differences.  Knots rise.
Spline fit(const Row& knots, double lambda) {
  const std::size_t n = knots.size(), inner = n - 2;
  Row step(n - 1);
  for (std::size_t i = 0; i + 1 < n; ++i) step[i] = knots[i + 1] - knots[i];
  Matrix differences(inner, Row(n));  // Q'
  Matrix left(inner, Row(inner));     // R, then R + lambda Q'Q.
  for (std::size_t j = 0; j < inner; ++j) {
    differences[j][j] = 1 / step[j];
    differences[j][j + 1] = -1 / step[j] - 1 / step[j + 1];
    differences[j][j + 2] = 1 / step[j + 1];
    left[j][j] = (step[j] + step[j + 1]) / 3;
    if (j + 1 < inner) left[j][j + 1] = left[j + 1][j] = step[j + 1] / 6;
  }
  for (std::size_t j = 0; j < inner; ++j) {
    for (std::size_t k = 0; k < inner; ++k) {
      for (std::size_t i = 0; i < n; ++i) {
        left[j][k] += lambda * differences[j][i] * differences[k][i];
      }
    }
  }
  const Matrix bends = solve(left, differences);
  Spline spline{Matrix(n, Row(n)), Matrix(n, Row(n))};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < n; ++c) {
      spline.values[i][c] = i == c ? 1 : 0;
      for (std::size_t j = 0; j < inner; ++j) {
        spline.values[i][c] -= lambda * differences[j][i] * bends[j][c];
      }
    }
  }
  for (std::size_t j = 0; j < inner; ++j) spline.bends[j + 1] = bends[j];
  return spline;
}

// The spline at z; beyond the outermost knots it goes on straight.
Row read(const Spline& spline, const Row& knots, double z) {
  const std::size_t n = knots.size();
  const double inside = std::clamp(z, knots.front(), knots.back());
  const auto above = std::upper_bound(knots.begin() + 1, knots.end() - 1, inside);
  const auto hi = static_cast<std::size_t>(above - knots.begin()), lo = hi - 1;
  const double h = knots[hi] - knots[lo], up = (inside - knots[lo]) / h, down = 1 - up;
  const double outside = z - inside;
  // What the second derivative, 0 at the outermost knot, adds to the slope there.
  const double bent = z < inside ? -h / 6 : h / 6;
  Row weights(n);
  for (std::size_t c = 0; c < n; ++c) {
    const double low = spline.values[lo][c], high = spline.values[hi][c];
    const double bend_low = spline.bends[lo][c], bend_high = spline.bends[hi][c];
    weights[c] = down * low + up * high -
                 up * down * h * h / 6 * ((1 + up) * bend_high + (1 + down) * bend_low) +
                 outside * ((high - low) / h + bent * (bend_low + bend_high));
  }
  return weights;
}

}  // namespace

Curve smoothing_spline(double lambda) {
  COLLAGE_CHECK(lambda >= 0);
  return [lambda](double z, const std::vector<double>& nodes) {
    COLLAGE_CHECK(nodes.size() >= 3);
    const Row knots(nodes.rbegin(), nodes.rend());
    Row weights = read(fit(knots, lambda), knots, z);
    std::ranges::reverse(weights);
    return weights;
  };
}

CurveCode spline_code(int queries, int workers, const Smoothness& smoothness) {
  COLLAGE_CHECK(queries >= 3);
  return {queries, workers, smoothing_spline(smoothness.encoder),
          smoothing_spline(smoothness.decoder)};
}

}  // namespace models
