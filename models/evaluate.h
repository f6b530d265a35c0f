// What a served network is worth: right answers, honest probabilities, time.
//
// Everything goes through Network at batch 1, as in a stage.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/dataset.h"
#include "models/network.h"

namespace models {

// Logits of every image of `data`, size() x classes.  For a collage the images are tiled in a
// random order drawn from `seed`, each once, with blank slots only in the last collage.  Throws
// std::runtime_error if the data set's tiles or classes are not the network's.
std::vector<float> answer_all(const Network& network, const Dataset& data, std::uint64_t seed);

struct Score {
  double accuracy = 0;  // Shares, 0..1.
  double ece = 0;       // Of the calibrated probabilities.
};
Score score(const Network& network, const Dataset& data, std::uint64_t seed);

// Median seconds of one inference for each network, over `rounds` rounds in which each takes its
// turn once, so that whatever else the machine does falls on all alike.
std::vector<double> median_latencies(std::span<const Network* const> networks, int rounds,
                                     const std::function<double()>& seconds);

}  // namespace models
