// Measures a network as a stage serves it: accuracy, calibration, latency.
//
// Every picture goes through Network at batch size 1.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "models/research/data/dataset.h"
#include "models/research/evaluation/trust.h"
#include "models/serving/network.h"

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

// What both networks answer for the pictures of `data`, which are tiles of the collage, labelled or
// not; `singles` are the s-CNN's classes of them, kNoAnswer where it has none.  Requires one for
// each picture.  Tiled from `seed` as above.
std::vector<AnswerPair> pair_answers(const Network& collage, const Dataset& data,
                                     std::span<const int> singles, std::uint64_t seed);

struct Score {
  double accuracy = 0;  // Shares, 0..1.
  double ece = 0;       // Expected calibration error of the served probabilities.
};
Score score(const Network& network, const Dataset& data, std::uint64_t seed);

// How many of the first kSampleImages images (or of all, if there are fewer) are answered rightly.
int sample_right(const Network& network, const Dataset& data, std::uint64_t seed);

// How well a collage recognises blank slots, and what they cost its accuracy.
struct BlankScore {
  double blank_recall = 0;      // Share of blank slots that are called blank or have no answer.
  double false_blank_rate = 0;  // Share of images that are.
  double cost_points = 0;       // Accuracy in full collages less that in partial ones, points.
  double cost_error = 0;        // Standard error of cost_points over tilings; 0 for one round.
};

// Tiles all images `rounds` times fully and as often in collages of which each has 1 to slots - 1
// blank slots.  Requires a collage.
BlankScore score_blanks(const Network& network, const Dataset& data, std::uint64_t seed,
                        int rounds);

// A network to time, and the images to time it with.  Borrowed.
struct Timed {
  const Network* network = nullptr;
  const Dataset* images = nullptr;  // At least one.
};

// Median seconds from pixels to logits for each network, over `rounds` rounds in which each takes
// its turn once, so that whatever else the machine does falls on all alike.  Every round shows the
// next images, in full collages.  Throws as check_fit().
std::vector<double> median_latencies(std::span<const Timed> timed, int rounds,
                                     const std::function<double()>& seconds);

}  // namespace models
