#include "models/serving/heads/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "models/serving/heads/finite.h"
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

// Of softmax(row), as a share of its maximum.
double entropy_of(std::span<const float> row) {
  const double log_sum = log_sum_exp(row, 1);
  double entropy = 0;
  for (const float z : row) entropy += std::exp(z - log_sum) * (log_sum - z);
  return entropy / std::log(static_cast<double>(row.size()));
}

// The logarithm of what a row's temperature is multiplied by, for a slope of 1.
double log_doubt_of(std::span<const float> row) {
  constexpr double kEntropyMin = 1e-4;
  return std::log(std::clamp(entropy_of(row), kEntropyMin, 1.0));
}

struct Answer {
  std::span<const float> row;
  std::size_t label;
  double log_doubt;
};

std::vector<Answer> answers_of(std::span<const float> logits, std::span<const int> labels,
                               std::size_t classes) {
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = logits.subspan(i * classes, classes);
    if (labels[i] < 0 || !all_finite(row)) continue;
    answers.push_back({row, static_cast<std::size_t>(labels[i]), log_doubt_of(row)});
  }
  return answers;
}

double negative_log_likelihood(std::span<const Answer> answers, double log_t, double slope) {
  double sum = 0;
  for (const Answer& answer : answers) {
    const double t = std::exp(log_t + slope * answer.log_doubt);
    sum += log_sum_exp(answer.row, t) - answer.row[answer.label] / t;
  }
  return sum;
}

struct Minimum {
  double at = 0;
  double cost = 0;
};

// Of a function with one valley, by golden sections: each leaves 0.62 of the interval.  A
// likelihood has one valley in log T, for it has one in 1/T.
template <typename Cost>
Minimum lowest(double low, double high, const Cost& cost) {
  constexpr int kSections = 30;  // Leave 0.618^30 = 5e-7 of the interval.
  constexpr double kShare = 0.6180339887498949;
  double a = high - kShare * (high - low);
  double b = low + kShare * (high - low);
  double cost_a = cost(a);
  double cost_b = cost(b);
  for (int i = 0; i < kSections; ++i) {
    if (cost_a < cost_b) {
      high = std::exchange(b, a);
      cost_b = cost_a;
      a = high - kShare * (high - low);
      cost_a = cost(a);
    } else {
      low = std::exchange(a, b);
      cost_a = cost_b;
      b = low + kShare * (high - low);
      cost_b = cost(b);
    }
  }
  return cost_a < cost_b ? Minimum{a, cost_a} : Minimum{b, cost_b};
}

// The negative logarithm of what is likely before any picture is seen: about temperature 1 and
// slope 0.  It counts as a few pictures do, so it matters only where there are few: twenty that are
// all right say of no temperature that it is too low.
double cost_before(double log_t, double slope) {
  constexpr double kLogTemperature = 0.5;  // Standard deviations.
  constexpr double kSlope = 0.25;
  const double t = log_t / kLogTemperature;
  const double s = slope / kSlope;
  return (t * t + s * s) / 2;
}

void check_rows(std::span<const float> rows, std::span<const int> labels, std::size_t classes) {
  COLLAGE_CHECK(classes > 0 && rows.size() == labels.size() * classes);
}

}  // namespace

std::vector<float> softmax_rows(std::span<const float> logits, std::size_t classes,
                                const Calibration& calibration) {
  COLLAGE_CHECK(classes > 1 && logits.size() % classes == 0);
  COLLAGE_CHECK(calibration.temperature > 0 && calibration.slope >= 0);
  std::vector<float> out(logits.size(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t begin = 0; begin < logits.size(); begin += classes) {
    const auto row = logits.subspan(begin, classes);
    if (!all_finite(row)) continue;
    const double t = calibration.temperature * std::exp(calibration.slope * log_doubt_of(row));
    const double log_sum = log_sum_exp(row, t);
    for (std::size_t c = 0; c < classes; ++c) {
      out[begin + c] = static_cast<float>(std::exp(row[c] / t - log_sum));
    }
  }
  return out;
}

Calibration fit_calibration(std::span<const float> logits, std::span<const int> labels,
                            std::size_t classes) {
  check_rows(logits, labels, classes);
  const std::vector<Answer> answers = answers_of(logits, labels, classes);
  COLLAGE_CHECK(classes > 1 && !answers.empty());
  constexpr int kSlopes = 51;
  constexpr double kStep = 0.01;
  // Below this a better likelihood is rounding, and the smaller slope is the simpler model.
  const double equal = 1e-6 * static_cast<double>(answers.size());
  Calibration best;
  double best_cost = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kSlopes; ++i) {
    const double slope = kStep * i;
    const Minimum found = lowest(std::log(0.05), std::log(20.0), [&](double log_t) {
      return negative_log_likelihood(answers, log_t, slope) + cost_before(log_t, slope);
    });
    if (found.cost >= best_cost - equal) continue;
    best = {.temperature = std::exp(found.at), .slope = slope};
    best_cost = found.cost;
  }
  return best;
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
  if (row.empty() || !all_finite(row)) return std::nullopt;
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
