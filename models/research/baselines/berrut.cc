#include "models/research/baselines/berrut.h"

#include <algorithm>
#include <cmath>

#include "wire/check.h"

namespace models {
namespace {

// An a_j may be a b_i; they differ by rounding then, and by far more if not.
constexpr double kSame = 1e-12;

std::vector<double> berrut_weights(double z, const std::vector<double>& nodes) {
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

}  // namespace

CurveCode berrut_code(int queries, int stragglers) {
  COLLAGE_CHECK(queries >= 1 && stragglers >= 1);
  return {queries, queries + stragglers, berrut_weights, berrut_weights};
}

}  // namespace models
