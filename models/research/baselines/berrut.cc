#include "models/research/baselines/berrut.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "wire/check.h"

namespace models {
namespace {

// An a_j may be a b_i; they differ by rounding then, and by far more if not.
constexpr double kSame = 1e-12;

// What the values at `nodes`, in order, count for at z.
std::vector<double> weights_at(double z, const std::vector<double>& nodes) {
  std::vector<double> weights(nodes.size());
  double sum = 0;
  for (std::size_t j = 0; j < nodes.size(); ++j) {
    if (std::abs(z - nodes[j]) < kSame) {
      std::ranges::fill(weights, 0.0);
      weights[j] = 1;
      return weights;
    }
    weights[j] = (j % 2 == 0 ? 1 : -1) / (z - nodes[j]);
    sum += weights[j];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

// The curve through the `rows` of `values`, row i at nodes[i], read at each of `points`:
// [points.size(), width].
std::vector<float> interpolate(std::span<const float> values, const std::vector<std::size_t>& rows,
                               const std::vector<double>& nodes, std::size_t width,
                               const std::vector<double>& points) {
  std::vector<float> out(points.size() * width);
  for (std::size_t p = 0; p < points.size(); ++p) {
    const std::vector<double> weights = weights_at(points[p], nodes);
    const auto to = std::span(out).subspan(p * width, width);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto from = values.subspan(rows[i] * width, width);
      const auto weight = static_cast<float>(weights[i]);
      for (std::size_t x = 0; x < width; ++x) to[x] += weight * from[x];
    }
  }
  return out;
}

}  // namespace

BerrutCode::BerrutCode(int queries, int stragglers) {
  COLLAGE_CHECK(queries >= 1 && stragglers >= 1);
  const int last = queries + stragglers - 1;
  for (int j = 0; j < queries; ++j) {
    query_points_.push_back(std::cos((2 * j + 1) * std::numbers::pi / (2 * queries)));
  }
  for (int i = 0; i <= last; ++i) {
    coded_points_.push_back(std::cos(i * std::numbers::pi / last));
  }
}

std::vector<float> BerrutCode::encode(std::span<const float> inputs, std::size_t n) const {
  COLLAGE_CHECK(inputs.size() == query_points_.size() * n);
  std::vector<std::size_t> all(query_points_.size());
  for (std::size_t j = 0; j < all.size(); ++j) all[j] = j;
  return interpolate(inputs, all, query_points_, n, coded_points_);
}

std::vector<float> BerrutCode::decode(std::span<const float> answers,
                                      const std::vector<bool>& arrived, std::size_t classes) const {
  COLLAGE_CHECK(answers.size() == workers() * classes && arrived.size() == workers());
  std::vector<std::size_t> rows;
  std::vector<double> nodes;
  for (std::size_t i = 0; i < workers(); ++i) {
    if (!arrived[i]) continue;
    rows.push_back(i);
    nodes.push_back(coded_points_[i]);
  }
  COLLAGE_CHECK(rows.size() >= query_points_.size());
  return interpolate(answers, rows, nodes, classes, query_points_);
}

}  // namespace models
