// What a served network is worth: right answers, honest probabilities, time.
//
// Everything goes through Network at batch 1, as in a stage.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/data/dataset.h"
#include "models/network.h"

namespace models {

// Logits of every image of `data`, size() x classes, NaNs where there is no answer.  For a collage
// the images are tiled in a random order drawn from `seed`, each once, with blank slots only in the
// last collage.  Throws std::runtime_error if the data set's tiles or classes are not the
// network's.
std::vector<float> answer_all(const Network& network, const Dataset& data, std::uint64_t seed);

struct Score {
  double accuracy = 0;  // Shares, 0..1.
  double ece = 0;       // Of the calibrated probabilities.
};
Score score(const Network& network, const Dataset& data, std::uint64_t seed);

// How many of the first kSampleImages images (or of all, if there are fewer) are answered rightly.
int sample_right(const Network& network, const Dataset& data, std::uint64_t seed);

// How a collage takes to blank slots.
struct BlankScore {
  double told = 0;         // Share of blank slots that says_blank() of, or that have no answer.
  double mistaken = 0;     // Share of images that it calls blank.
  double cost_points = 0;  // Accuracy in full collages less that in partial ones, in points.
};

// Tiles all images `rounds` times fully and as often in collages of which each has 1 to slots - 1
// blank slots.  Requires a collage.
BlankScore score_blanks(const Network& network, const Dataset& data, std::uint64_t seed,
                        int rounds);

// Median seconds of one inference for each network, over `rounds` rounds in which each takes its
// turn once, so that whatever else the machine does falls on all alike.
std::vector<double> median_latencies(std::span<const Network* const> networks, int rounds,
                                     const std::function<double()>& seconds);

}  // namespace models
