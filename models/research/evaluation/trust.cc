#include "models/research/evaluation/trust.h"

#include <algorithm>
#include <cmath>

#include "wire/check.h"

namespace models {
namespace {

constexpr double kDeviations = 1.959964;  // A normal variable is within them with 95 %.

bool right(int answer, const AnswerPair& pair) {
  return answer != kNoAnswer && answer == pair.truth;
}

// The mean of +1, 0 and -1, of which there are `more`, the rest and `less`.  With half a picture
// more in each of the four cells the interval holds for few pictures, too (Agresti and Min 2005).
Share difference_of(std::size_t more, std::size_t less, std::size_t whole) {
  const double n = static_cast<double>(whole) + 2;
  const double plus = static_cast<double>(more) + 0.5;
  const double minus = static_cast<double>(less) + 0.5;
  const double mean = (plus - minus) / n;
  const double half = kDeviations * std::sqrt(((plus + minus) / n - mean * mean) / n);
  return {
      .value = (static_cast<double>(more) - static_cast<double>(less)) / static_cast<double>(whole),
      .low = mean - half,
      .high = mean + half};
}

}  // namespace

Share share_of(std::size_t part, std::size_t whole) {
  COLLAGE_CHECK(whole > 0 && part <= whole);
  const auto n = static_cast<double>(whole);
  const double share = static_cast<double>(part) / n;
  const double square = kDeviations * kDeviations / n;
  const double middle = (share + square / 2) / (1 + square);
  const double half =
      kDeviations * std::sqrt(share * (1 - share) / n + square / (4 * n)) / (1 + square);
  return {
      .value = share, .low = std::max(0.0, middle - half), .high = std::min(1.0, middle + half)};
}

Trust trust_of(std::span<const AnswerPair> pairs) {
  std::size_t single_right = 0;
  std::size_t collage_right = 0;
  std::size_t agree = 0;
  std::size_t only_single = 0;
  std::size_t only_collage = 0;
  for (const AnswerPair& pair : pairs) {
    const bool by_single = right(pair.single, pair);
    const bool by_collage = right(pair.collage, pair);
    single_right += by_single ? 1 : 0;
    collage_right += by_collage ? 1 : 0;
    only_single += by_single && !by_collage ? 1 : 0;
    only_collage += !by_single && by_collage ? 1 : 0;
    agree += pair.collage != kNoAnswer && pair.collage == pair.single ? 1 : 0;
  }
  const std::size_t n = pairs.size();
  return {.pictures = n,
          .single_right = share_of(single_right, n),
          .collage_right = share_of(collage_right, n),
          .agree = share_of(agree, n),
          .loss = difference_of(only_single, only_collage, n)};
}

bool within(double lost, double may_lose) {
  constexpr double kRounding = 1e-9;  // 1 - 48.0 / 50 is a little more than 0.04.
  return lost <= may_lose + kRounding;
}

std::optional<Gate> lowest_gate(std::span<const AnswerPair> pairs, double may_lose) {
  std::vector<AnswerPair> surest_first;
  for (const AnswerPair& pair : pairs) {
    if (pair.collage != kNoAnswer) surest_first.push_back(pair);
  }
  std::ranges::sort(surest_first, std::ranges::greater{}, &AnswerPair::confidence);
  std::size_t lowest = 0;  // How many answers the lowest bound lets through.
  int more = 0;            // Of them the s-CNN has right, less those the collage has.
  for (std::size_t i = 0; i < surest_first.size(); ++i) {
    const AnswerPair& pair = surest_first[i];
    more += (right(pair.single, pair) ? 1 : 0) - (right(pair.collage, pair) ? 1 : 0);
    const std::size_t answers = i + 1;
    // A bound lets through all that are as sure.
    const bool more_as_sure =
        answers < surest_first.size() && surest_first[answers].confidence == pair.confidence;
    if (more_as_sure || answers < kGateAnswersMin) continue;
    if (within(static_cast<double>(more) / static_cast<double>(answers), may_lose)) {
      lowest = answers;
    }
  }
  if (lowest == 0) return std::nullopt;
  return Gate{.confidence = surest_first[lowest - 1].confidence,
              .answered = static_cast<double>(lowest) / static_cast<double>(pairs.size()),
              .trust = trust_of(std::span(surest_first).first(lowest))};
}

}  // namespace models
