// The answers of a network to probes: whether another form of it gives the same, and what they show
// of the network.  Pure functions on plain numbers, whatever library runs the network.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "models/serving/output_form.h"

namespace models {

using ProbeAnswer = std::vector<float>;  // All numbers that come back for one input, row by row.

// A form whose answers differ by more than this is not served.
inline constexpr double kDifferenceMax = 1e-3;

// How far answers are from the right ones: of each answer the largest difference of a number, as a
// share of its right answer's largest number; of these the largest.  0 for no answers, infinite if
// one has more or fewer numbers or only the right numbers are all 0, NaN if a number is none.
// Requires a right answer for each.
double difference(std::span<const ProbeAnswer> right, std::span<const ProbeAnswer> got);

// Of two forms about as fast the one that is rewritten more is served, so that hosts do not differ
// by noise: it may be this many times as slow.
inline constexpr double kSlowerBy = 1.05;

// For the line that says how a network is served: "4.1 ms", " is wrong: it differs by 0.31 of the
// largest score".
std::string milliseconds(double seconds);
std::string wrong_by(double difference);

// A probability as a logit; none is taken for less than this.
inline constexpr double kProbabilityMin = 1e-12;

// Throws std::runtime_error with a clause unless every number is finite.
void require_finite(std::span<const ProbeAnswer> answers);

// Whether the numbers of each row of `classes` (0: of all) sum to 1 and none is negative, as after
// a softmax.
bool sum_to_one(std::span<const ProbeAnswer> answers, std::size_t classes);

// What a user should look at, each a clause: `first` and `again` are answers to the same probe,
// `sums_to_one` is what sum_to_one() says of the answers.
std::vector<std::string> warnings_of(const ProbeAnswer& first, const ProbeAnswer& again,
                                     const OutputForm& output, bool sums_to_one);

}  // namespace models
