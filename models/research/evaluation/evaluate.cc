#include "models/research/evaluation/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "imaging/tile.h"
#include "models/research/data/tiling.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/heads/decode.h"
#include "wire/check.h"

namespace models {
namespace {

void require_answer(const Network& network, const std::vector<float>& logits) {
  if (logits.empty()) {
    throw std::runtime_error("model " + network.manifest().name + " failed on a picture");
  }
}

imaging::Picture picture_of(const Dataset& data, std::int64_t index) {
  const auto tile = data.tile(static_cast<std::size_t>(index));
  return {.width = data.shape.width,
          .height = data.shape.height,
          .channels = data.shape.channels,
          .pixels = {tile.begin(), tile.end()}};
}

// Calls visit(index or kBlank, logits of that slot) for every slot of every collage.
template <class Visit>
void answer_tilings(const Network& network, const Dataset& data,
                    std::span<const std::int64_t> tilings, Visit visit) {
  const Manifest& manifest = network.manifest();
  const auto slots = static_cast<std::size_t>(manifest.slots());
  const std::size_t classes = manifest.class_names.size();
  for (std::size_t begin = 0; begin < tilings.size(); begin += slots) {
    const auto tiling = tilings.subspan(begin, slots);
    const std::vector<float> logits = network.logits(canvas_of(manifest, data, tiling));
    require_answer(network, logits);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      visit(tiling[slot], std::span(logits).subspan(slot * classes, classes));
    }
  }
}

std::vector<float> answer_collages(const Network& network, const Dataset& data,
                                   std::uint64_t seed) {
  const Manifest& manifest = network.manifest();
  const auto classes = static_cast<std::ptrdiff_t>(manifest.class_names.size());
  machine::Rng rng(seed);
  const std::vector<std::int64_t> tilings =
      draw_tilings(data.size(), static_cast<std::size_t>(manifest.slots()), 0, rng);
  std::vector<float> all(data.size() * manifest.class_names.size());
  answer_tilings(network, data, tilings, [&](std::int64_t image, std::span<const float> row) {
    if (image != kBlank) std::ranges::copy(row, all.begin() + image * classes);
  });
  return all;
}

// What is counted over collages that were tiled once.
struct Tally {
  std::size_t images = 0;
  std::size_t right = 0;
  std::size_t false_blanks = 0;
  std::size_t blanks = 0;
  std::size_t blanks_found = 0;
};

Tally count(const Network& network, const Dataset& data, double partial_share, machine::Rng& rng) {
  Tally tally;
  const Manifest& manifest = network.manifest();
  const std::vector<std::int64_t> tilings =
      draw_tilings(data.size(), static_cast<std::size_t>(manifest.slots()), partial_share, rng);
  answer_tilings(network, data, tilings, [&](std::int64_t image, std::span<const float> logits) {
    const std::vector<float> row = softmax_rows(logits, logits.size(), manifest.calibration);
    const std::optional<std::size_t> best = best_class(row);
    const bool called_blank = !best || says_blank(row);
    if (image == kBlank) {
      ++tally.blanks;
      tally.blanks_found += called_blank ? 1 : 0;
      return;
    }
    const auto label = static_cast<std::size_t>(data.labels[static_cast<std::size_t>(image)]);
    ++tally.images;
    tally.false_blanks += called_blank ? 1 : 0;
    tally.right += !called_blank && *best == label ? 1 : 0;
  });
  return tally;
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

Tally& operator+=(Tally& sum, const Tally& more) {
  sum.images += more.images;
  sum.right += more.right;
  sum.false_blanks += more.false_blanks;
  sum.blanks += more.blanks;
  sum.blanks_found += more.blanks_found;
  return sum;
}

double cost_of(const Tally& full, const Tally& partial) {
  return 100 * (share(full.right, full.images) - share(partial.right, partial.images));
}

// Of the mean of `values`, as if each was drawn by itself.
double standard_error(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (n - 1) / n);
}

// The input of a network in a round: the next images, from the beginning again after the last.
std::vector<std::uint8_t> input_of(const Timed& timed, int round) {
  const Manifest& manifest = timed.network->manifest();
  const auto slots = static_cast<std::size_t>(manifest.slots());
  const std::size_t first = static_cast<std::size_t>(round) * slots;
  const auto image = [&](std::size_t i) { return (first + i) % timed.images->size(); };
  if (manifest.kind != Kind::collage) {
    const auto tile = timed.images->tile(image(0));
    return {tile.begin(), tile.end()};
  }
  std::vector<std::int64_t> tiling;
  for (std::size_t i = 0; i < slots; ++i) tiling.push_back(static_cast<std::int64_t>(image(i)));
  return canvas_of(manifest, *timed.images, tiling);
}

}  // namespace

void check_fit(const Manifest& manifest, const Dataset& data) {
  if (manifest.tile != data.shape || manifest.class_names != data.class_names) {
    throw std::runtime_error("model " + manifest.name + " does not fit the data set " + data.name);
  }
}

std::vector<std::uint8_t> canvas_of(const Manifest& manifest, const Dataset& data,
                                    std::span<const std::int64_t> tiling) {
  auto canvas = imaging::new_canvas(manifest.layout(), manifest.tile.channels);
  for (std::size_t slot = 0; slot < tiling.size(); ++slot) {
    if (tiling[slot] == kBlank) continue;
    imaging::paste(canvas, manifest.layout(), manifest.tile.channels, static_cast<wire::Slot>(slot),
                   picture_of(data, tiling[slot]));
  }
  return canvas;
}

std::vector<float> answer_all(const Network& network, const Dataset& data, std::uint64_t seed) {
  check_fit(network.manifest(), data);
  if (network.manifest().kind == Kind::collage) return answer_collages(network, data, seed);
  std::vector<float> all;
  all.reserve(data.size() * data.class_names.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::vector<float> logits = network.logits(data.tile(i));
    require_answer(network, logits);
    all.insert(all.end(), logits.begin(), logits.end());
  }
  return all;
}

std::vector<AnswerPair> pair_answers(const Network& collage, const Dataset& data,
                                     std::span<const int> singles, std::uint64_t seed) {
  COLLAGE_CHECK(singles.size() == data.size());
  const std::vector<float> logits = answer_all(collage, data, seed);
  const std::size_t classes = data.class_names.size();
  const std::vector<float> rows = softmax_rows(logits, classes, collage.manifest().calibration);
  std::vector<AnswerPair> pairs(data.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto row = std::span(rows).subspan(i * classes, classes);
    AnswerPair& pair = pairs[i];
    pair.single = singles[i];
    pair.truth = data.labels[i] == kUnlabelled ? singles[i] : data.labels[i];
    const std::optional<std::size_t> best = best_class(row);
    if (!best || says_blank(row)) continue;
    pair.collage = static_cast<int>(*best);
    pair.confidence = static_cast<double>(row[*best]);
  }
  return pairs;
}

Score score(const Network& network, const Dataset& data, std::uint64_t seed) {
  const std::size_t classes = data.class_names.size();
  const std::vector<float> probabilities =
      softmax_rows(answer_all(network, data, seed), classes, network.manifest().calibration);
  return {.accuracy = accuracy(probabilities, data.labels, classes),
          .ece = expected_calibration_error(probabilities, data.labels, classes)};
}

int sample_right(const Network& network, const Dataset& data, std::uint64_t seed) {
  std::vector<std::size_t> first(std::min(kSampleImages, data.size()));
  std::iota(first.begin(), first.end(), std::size_t{0});
  const Dataset sample = select(data, first);
  const double share =
      accuracy(answer_all(network, sample, seed), sample.labels, sample.class_names.size());
  return static_cast<int>(std::lround(share * static_cast<double>(sample.size())));
}

BlankScore score_blanks(const Network& network, const Dataset& data, std::uint64_t seed,
                        int rounds) {
  check_fit(network.manifest(), data);
  machine::Rng rng(seed);
  Tally full;
  Tally partial;
  std::vector<double> costs;
  for (int round = 0; round < rounds; ++round) {
    const Tally filled = count(network, data, 0, rng);
    const Tally with_blanks = count(network, data, 1, rng);
    costs.push_back(cost_of(filled, with_blanks));
    full += filled;
    partial += with_blanks;
  }
  return {.blank_recall = share(partial.blanks_found, partial.blanks),
          .false_blank_rate =
              share(full.false_blanks + partial.false_blanks, full.images + partial.images),
          .cost_points = cost_of(full, partial),
          .cost_error = standard_error(costs)};
}

std::vector<double> median_latencies(std::span<const Timed> timed, int rounds,
                                     const std::function<double()>& seconds) {
  for (const Timed& one : timed) check_fit(one.network->manifest(), *one.images);
  std::vector<std::vector<double>> times(timed.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < timed.size(); ++i) {
      const std::vector<std::uint8_t> input = input_of(timed[i], round);
      const double start = seconds();
      require_answer(*timed[i].network, timed[i].network->logits(input));
      times[i].push_back(seconds() - start);
    }
  }
  std::vector<double> medians;
  for (std::vector<double>& some : times) {
    const auto middle = some.begin() + static_cast<std::ptrdiff_t>(some.size() / 2);
    std::ranges::nth_element(some, middle);
    medians.push_back(some.empty() ? 0 : *middle);
  }
  return medians;
}

}  // namespace models
