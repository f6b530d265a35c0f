// From logits to calibrated probabilities: of the answers given with probability p, a share p is
// right.
//
// A temperature divides the logits before the softmax (Guo et al. 2017).  It never changes which
// class is best, but how sure the network claims to be, and so also whether a row says_blank(). One
// temperature for all rows left these networks too sure where they doubt and too modest where they
// do not, so it may follow the row's entropy, after Balanya, Maronas and Ramos 2022 ("Adaptive
// temperature scaling for robust calibration of deep neural networks"); here by a power.
//
// Pure functions on rows of `classes` numbers; labels below 0 (blank slots) are left out.  A row
// with a number that is not finite is no answer: never right, and no part of calibration.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace models {

// A row's temperature is temperature x entropy^slope, where entropy is that of softmax(row) as a
// share of its maximum, log(classes), and at least 1e-4 so that a certain row has one too.
struct Calibration {
  double temperature = 1;  // > 0; of a row that is like chance.
  double slope = 0;        // >= 0; with 0 all rows have the same temperature.
  bool operator==(const Calibration&) const = default;
};

// softmax(row / its temperature), row by row.  A row with a value that is not finite comes out as
// NaNs.  Requires logits.size() to be a multiple of classes > 1.
std::vector<float> softmax_rows(std::span<const float> logits, std::size_t classes,
                                const Calibration& calibration);

// The most likely of temperatures in [0.05, 20] and slopes 0, 0.01 .. 0.5, given the labels and
// that temperatures are log-normal about 1 (deviation 0.5) and slopes normal about 0 (0.25) before
// any label is seen; of slopes that do equally well the smallest.  Requires classes > 1, a row a
// label and at least one answer to a label that is not below 0.
Calibration fit_calibration(std::span<const float> logits, std::span<const int> labels,
                            std::size_t classes);

// Expected calibration error over `bins` equal bins of confidence: the mean over images of
// |accuracy - mean confidence| of the image's bin, 0..1, over the images that have an answer.  0
// without any.
double expected_calibration_error(std::span<const float> probabilities, std::span<const int> labels,
                                  std::size_t classes, std::size_t bins = 15);

// The best class of a row, the lowest among equals; nullopt if it is empty or no answer.
std::optional<std::size_t> best_class(std::span<const float> row);

// The share of rows whose best class is their label.
double accuracy(std::span<const float> rows, std::span<const int> labels, std::size_t classes);

}  // namespace models
