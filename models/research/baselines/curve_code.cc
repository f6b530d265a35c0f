#include "models/research/baselines/curve_code.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "wire/check.h"

namespace models {
namespace {

// The curve by the `rows` of `values`, row i at nodes[i], read at each of `points`:
// [points.size(), width].
std::vector<float> read(const Curve& curve, std::span<const float> values,
                        const std::vector<std::size_t>& rows, const std::vector<double>& nodes,
                        std::size_t width, const std::vector<double>& points) {
  std::vector<float> out(points.size() * width);
  for (std::size_t p = 0; p < points.size(); ++p) {
    const std::vector<double> weights = curve(points[p], nodes);
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

CurveCode::CurveCode(int queries, int workers, Curve encoder, Curve decoder)
    : encoder_(std::move(encoder)), decoder_(std::move(decoder)) {
  COLLAGE_CHECK(queries >= 1 && workers >= 2 && workers >= queries);
  for (int j = 0; j < queries; ++j) {
    query_points_.push_back(std::cos((2 * j + 1) * std::numbers::pi / (2 * queries)));
  }
  for (int i = 0; i < workers; ++i) {
    coded_points_.push_back(std::cos(i * std::numbers::pi / (workers - 1)));
  }
}

std::vector<float> CurveCode::encode(std::span<const float> inputs, std::size_t n) const {
  COLLAGE_CHECK(inputs.size() == queries() * n);
  std::vector<std::size_t> all(queries());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return read(encoder_, inputs, all, query_points_, n, coded_points_);
}

std::vector<float> CurveCode::decode(std::span<const float> answers,
                                     const std::vector<bool>& arrived, std::size_t classes) const {
  COLLAGE_CHECK(answers.size() == workers() * classes && arrived.size() == workers());
  std::vector<std::size_t> rows;
  std::vector<double> nodes;
  for (std::size_t i = 0; i < workers(); ++i) {
    if (!arrived[i]) continue;
    rows.push_back(i);
    nodes.push_back(coded_points_[i]);
  }
  COLLAGE_CHECK(rows.size() >= queries());
  return read(decoder_, answers, rows, nodes, classes, query_points_);
}

}  // namespace models
