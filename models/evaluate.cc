#include "models/evaluate.h"

#include <algorithm>
#include <stdexcept>

#include "imaging/tile.h"
#include "models/calibration.h"
#include "models/tiling.h"

namespace models {
namespace {

void check_fit(const Manifest& manifest, const Dataset& data) {
  if (manifest.tile != data.shape || manifest.class_names != data.class_names) {
    throw std::runtime_error("model " + manifest.name + " does not fit the data set " + data.name);
  }
}

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

// Lays the images of one tiling into a canvas, as the assembler does.
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

std::vector<float> answer_collages(const Network& network, const Dataset& data,
                                   std::uint64_t seed) {
  const Manifest& manifest = network.manifest();
  const auto slots = static_cast<std::size_t>(manifest.slots());
  const std::size_t classes = manifest.class_names.size();
  wire::Rng rng(seed);
  const std::vector<std::int64_t> tilings = draw_tilings(data.size(), slots, 0, rng);
  std::vector<float> all(data.size() * classes);
  for (std::size_t begin = 0; begin < tilings.size(); begin += slots) {
    const auto tiling = std::span(tilings).subspan(begin, slots);
    const std::vector<float> logits = network.logits(canvas_of(manifest, data, tiling));
    require_answer(network, logits);
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if (tiling[slot] == kBlank) continue;
      const auto row = std::span(logits).subspan(slot * classes, classes);
      std::ranges::copy(row, all.begin() + tiling[slot] * static_cast<std::ptrdiff_t>(classes));
    }
  }
  return all;
}

}  // namespace

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

Score score(const Network& network, const Dataset& data, std::uint64_t seed) {
  const std::size_t classes = data.class_names.size();
  const std::vector<float> probabilities =
      softmax_rows(answer_all(network, data, seed), classes, network.manifest().temperature);
  return {.accuracy = accuracy(probabilities, data.labels, classes),
          .ece = expected_calibration_error(probabilities, data.labels, classes)};
}

std::vector<double> median_latencies(std::span<const Network* const> networks, int rounds,
                                     const std::function<double()>& seconds) {
  std::vector<std::vector<double>> times(networks.size());
  std::vector<std::vector<std::uint8_t>> inputs;
  for (const Network* network : networks) inputs.emplace_back(network->manifest().input().bytes());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < networks.size(); ++i) {
      const double start = seconds();
      require_answer(*networks[i], networks[i]->logits(inputs[i]));
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
