#include "models/serving/probe_answers.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace models {
namespace {

double largest(const ProbeAnswer& numbers) {
  double most = 0;
  for (const float number : numbers) {
    // Not std::max, which forgets what is no number.
    if (std::isnan(number)) return number;
    most = std::max(most, std::abs(static_cast<double>(number)));
  }
  return most;
}

ProbeAnswer less(const ProbeAnswer& one, const ProbeAnswer& other) {
  ProbeAnswer apart(one.size());
  std::ranges::transform(one, other, apart.begin(), std::minus<>{});
  return apart;
}

}  // namespace

double difference(std::span<const ProbeAnswer> right, std::span<const ProbeAnswer> got) {
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (right[i].size() != got[i].size()) return std::numeric_limits<double>::infinity();
    const double apart = largest(less(right[i], got[i]));
    if (apart == 0) continue;
    const double share = apart / largest(right[i]);
    if (std::isnan(share)) return share;
    worst = std::max(worst, share);
  }
  return worst;
}

std::string milliseconds(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", 1e3 * seconds);
  return text.data();
}

std::string wrong_by(double difference) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), " is wrong: it differs by %.2g of the largest score",
                difference);
  return text.data();
}

void require_finite(std::span<const ProbeAnswer> answers) {
  for (const ProbeAnswer& one : answers) {
    if (std::ranges::all_of(one, [](float number) { return std::isfinite(number); })) continue;
    throw std::runtime_error(
        "gives scores that are not finite (NaN or infinite) for grey or noise");
  }
}

bool sum_to_one(std::span<const ProbeAnswer> answers, std::size_t classes) {
  constexpr double kRounding = 1e-3;
  return std::ranges::all_of(answers, [&](const ProbeAnswer& one) {
    const std::size_t length = classes == 0 ? one.size() : classes;
    if (one.empty() || one.size() % length != 0 || *std::ranges::min_element(one) < 0) {
      return false;
    }
    for (std::size_t row = 0; row < one.size(); row += length) {
      const auto numbers = std::span(one).subspan(row, length);
      if (std::abs(std::accumulate(numbers.begin(), numbers.end(), 0.0) - 1) >= kRounding) {
        return false;
      }
    }
    return true;
  });
}

std::vector<std::string> warnings_of(const ProbeAnswer& first, const ProbeAnswer& again,
                                     const OutputForm& output, bool sums_to_one) {
  std::vector<std::string> warnings;
  if (!(difference({&first, 1}, {&again, 1}) <= kDifferenceMax)) {
    warnings.emplace_back(
        "answers the same picture differently each time, as a network exported in training mode "
        "does; call .eval() before exporting");
  }
  if (sums_to_one && output.scores == Scores::logits) {
    warnings.emplace_back(
        "gives numbers that sum to 1, as after a softmax; if they are probabilities, its manifest "
        "needs output: {scores: probabilities}");
  } else if (!sums_to_one && output.scores == Scores::probabilities) {
    warnings.emplace_back(
        "gives numbers that do not sum to 1, but its manifest calls them probabilities");
  }
  return warnings;
}

}  // namespace models
