#include "models/heads/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/heads/finite.h"
#include "wire/check.h"

namespace models {
namespace {

// log sum exp(row / t), by the largest so that nothing overflows.
double log_sum_exp(std::span<const float> row, double t) {
  const double largest = *std::ranges::max_element(row) / t;
  double sum = 0;
  for (const float z : row) sum += std::exp(z / t - largest);
  return largest + std::log(sum);
}

double negative_log_likelihood(std::span<const float> logits, std::span<const int> labels,
                               std::size_t classes, double t) {
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    if (labels[i] < 0 || !all_finite(row)) continue;
    sum += log_sum_exp(row, t) - row[static_cast<std::size_t>(labels[i])] / t;
  }
  return sum;
}

void check_rows(std::span<const float> rows, std::span<const int> labels, std::size_t classes) {
  COLLAGE_CHECK(classes > 0 && rows.size() == labels.size() * classes);
}

}  // namespace

std::vector<float> softmax_rows(std::span<const float> logits, std::size_t classes,
                                double temperature) {
  COLLAGE_CHECK(classes > 0 && logits.size() % classes == 0 && temperature > 0);
  std::vector<float> out(logits.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t begin = 0; begin < logits.size(); begin += classes) {
    const auto row = logits.subspan(begin, classes);
    if (!all_finite(row)) continue;
    const double log_sum = log_sum_exp(row, temperature);
    for (std::size_t c = 0; c < classes; ++c) {
      out[begin + c] = static_cast<float>(std::exp(row[c] / temperature - log_sum));
    }
  }
  return out;
}

double fit_temperature(std::span<const float> logits, std::span<const int> labels,
                       std::size_t classes) {
  check_rows(logits, labels, classes);
  const auto cost = [&](double log_t) {
    return negative_log_likelihood(logits, labels, classes, std::exp(log_t));
  };
  // The likelihood has one peak in 1/T, so a golden-section search finds it.
  constexpr double kShare = 0.6180339887498949;
  double low = std::log(0.05);
  double high = std::log(20.0);
  for (int i = 0; i < 40; ++i) {
    const double a = high - kShare * (high - low);
    const double b = low + kShare * (high - low);
    if (cost(a) < cost(b)) {
      high = b;
    } else {
      low = a;
    }
  }
  return std::exp((low + high) / 2);
}

double expected_calibration_error(std::span<const float> probabilities, std::span<const int> labels,
                                  std::size_t classes, std::size_t bins) {
  check_rows(probabilities, labels, classes);
  COLLAGE_CHECK(bins > 0);
  std::vector<double> surplus(bins, 0.0);  // Sum of (right - confidence) in each bin.
  std::size_t images = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = probabilities.subspan(i * classes, classes);
    const std::optional<std::size_t> best = best_class(row);
    if (labels[i] < 0 || !best) continue;
    const double confidence = row[*best];
    const auto bin = static_cast<std::size_t>(confidence * static_cast<double>(bins));
    surplus[std::min(bin, bins - 1)] +=
        (*best == static_cast<std::size_t>(labels[i]) ? 1.0 : 0.0) - confidence;
    ++images;
  }
  double sum = 0;
  for (const double s : surplus) sum += std::abs(s);
  return images == 0 ? 0 : sum / static_cast<double>(images);
}

std::optional<std::size_t> best_class(std::span<const float> row) {
  if (!all_finite(row)) return std::nullopt;
  return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
}

double accuracy(std::span<const float> rows, std::span<const int> labels, std::size_t classes) {
  check_rows(rows, labels, classes);
  std::size_t images = 0;
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0) continue;
    ++images;
    const std::optional<std::size_t> best = best_class(rows.subspan(i * classes, classes));
    right += best == static_cast<std::size_t>(labels[i]) ? 1 : 0;
  }
  return images == 0 ? 0 : static_cast<double>(right) / static_cast<double>(images);
}

}  // namespace models
