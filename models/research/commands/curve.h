// The training curve as a picture: loss and held-back accuracy over the epochs.
//
//     loss                           %
//      |\          ____________     |     curve_svg() is pure: the same points give the same text.
//      | \   ___---                 |
//      |  \_/______________________ |
//      +------------- epoch --------+
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace models {

inline constexpr std::string_view kLogHeader =
    "epoch,loss,learning_rate,held_back_accuracy,best_accuracy,seconds";

struct CurvePoint {
  int epoch = 0;  // From 1.
  double loss = 0;
  double learning_rate = 0;
  double held_back = 0;  // Accuracies are shares, 0..1.
  double best = 0;       // Best held_back of the epochs up to this one.
};

// A self-contained SVG of 800x400 that follows the reader's light or dark scheme: the loss on the
// left axis, held-back accuracy in per cent on the right one, the learning rate as a share of its
// peak, and a mark at the best epoch.  Requires epochs that rise.  A value that is not finite
// leaves its vertex out; no points give axes without curves.
std::string curve_svg(std::span<const CurvePoint> points, const std::string& title);

// The rows of a training run's log.csv in order of epoch; the last row of a repeated epoch counts.
// Throws std::runtime_error with one line that names the file and the line: missing, not headed
// by kLogHeader, or a row that is not six numbers, the first a positive integer.
std::vector<CurvePoint> read_log(const std::filesystem::path& csv);

}  // namespace models
