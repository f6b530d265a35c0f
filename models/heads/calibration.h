// From logits to probabilities that mean what they say.
//
// A temperature T > 0 divides the logits before the softmax (Guo et al. 2017).  It never changes
// which class is best, only how sure the network claims to be.  Pure functions on rows of
// `classes` numbers; labels below 0 (blank slots) are left out.  A row with a number that is not
// finite is no answer: never right, and no part of calibration.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace models {

// softmax(logits / temperature), row by row.  A row with a value that is not finite comes out as
// NaNs.  Requires logits.size() to be a multiple of classes > 0, and temperature > 0.
std::vector<float> softmax_rows(std::span<const float> logits, std::size_t classes,
                                double temperature);

// The temperature in [0.05, 20] that makes the labels most likely.  Requires a row a label and at
// least one answer to a label that is not below 0.
double fit_temperature(std::span<const float> logits, std::span<const int> labels,
                       std::size_t classes);

// Expected calibration error over `bins` equal bins of confidence: the mean over images of
// |accuracy - mean confidence| of the image's bin, 0..1, over the images that have an answer.  0
// without any.
double expected_calibration_error(std::span<const float> probabilities, std::span<const int> labels,
                                  std::size_t classes, std::size_t bins = 15);

// The best class of a row, the lowest among equals; nullopt if it is no answer.
std::optional<std::size_t> best_class(std::span<const float> row);

// The share of rows whose best class is their label.
double accuracy(std::span<const float> rows, std::span<const int> labels, std::size_t classes);

}  // namespace models
