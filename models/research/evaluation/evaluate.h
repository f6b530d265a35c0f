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

// Throws std::runtime_error if the data set's tiles or classes are not the model's.
void check_fit(const Manifest& manifest, const Dataset& data);

// The pixels of a collage that shows the images of one tiling (indices or kBlank), laid out as the
// assembler does.  Requires a collage, a data set that fits, and an entry for each slot.
std::vector<std::uint8_t> canvas_of(const Manifest& manifest, const Dataset& data,
                                    std::span<const std::int64_t> tiling);

// Logits of every image of `data`, size() x classes, NaNs where there is no answer.  For a collage
// the images are tiled in a random order drawn from `seed`, each once, with blank slots only in the
// last collage.  Throws as check_fit().
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
  double cost_error = 0;   // Its standard error over tilings of these images; 0 for one round.
};

// Tiles all images `rounds` times fully and as often in collages of which each has 1 to slots - 1
// blank slots.  Requires a collage.
BlankScore score_blanks(const Network& network, const Dataset& data, std::uint64_t seed,
                        int rounds);

// A network and images for it.  Borrowed.
struct Runner {
  const Network* network = nullptr;
  const Dataset* images = nullptr;  // At least one.
};

// Median seconds from pixels to logits for each network, over `rounds` rounds in which each takes
// its turn once, so that whatever else the machine does falls on all alike.  Every round shows the
// next images, in full collages.  Throws as check_fit().
std::vector<double> median_latencies(std::span<const Runner> runners, int rounds,
                                     const std::function<double()>& seconds);

}  // namespace models
