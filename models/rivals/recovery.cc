#include "models/rivals/recovery.h"

#include <algorithm>

#include "models/data/tiling.h"
#include "models/heads/calibration.h"
#include "models/rivals/berrut.h"

namespace models {
namespace {

// Planes of channels, normalised.
std::vector<float> normalised(const Dataset& data, std::size_t image) {
  const auto tile = data.tile(image);
  const auto channels = static_cast<std::size_t>(data.shape.channels);
  const std::size_t plane = tile.size() / channels;
  std::vector<float> out(tile.size());
  for (std::size_t i = 0; i < tile.size(); ++i) {
    const std::size_t c = i % channels;
    out[c * plane + i / channels] = static_cast<float>(
        (tile[i] / 255.0 - data.normalisation.mean[c]) / data.normalisation.deviation[c]);
  }
  return out;
}

// Image indices group by group, each image once but those that fill up the last group.
std::vector<std::size_t> grouped(std::size_t images, std::size_t queries, wire::Rng& rng) {
  std::vector<std::size_t> order = shuffled(images, rng);
  for (std::size_t i = 0; order.size() % queries != 0; ++i) order.push_back(order[i]);
  return order;
}

void put(std::vector<float>& all, std::size_t image, std::span<const float> row) {
  std::ranges::copy(row, all.begin() + static_cast<std::ptrdiff_t>(image * row.size()));
}

}  // namespace

Recovery recovery_of(std::span<const float> answered, std::span<const float> recovered,
                     std::span<const float> alone, const Dataset& data) {
  const std::size_t classes = data.class_names.size();
  std::vector<int> said;  // By the s-CNN; nothing where it has no answer.
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto best = best_class(alone.subspan(i * classes, classes));
    said.push_back(best ? static_cast<int>(*best) : kUnlabelled);
  }
  return {.answered = accuracy(answered, data.labels, classes),
          .recovered = accuracy(recovered, data.labels, classes),
          .agreement = accuracy(recovered, said, classes)};
}

CodedAnswers coded_answers(const std::function<std::vector<float>(std::span<const float>)>& scnn,
                           const Dataset& data, int queries, std::uint64_t seed) {
  const BerrutCode code(queries, 1);
  const auto k = static_cast<std::size_t>(queries);
  const std::size_t classes = data.class_names.size();
  wire::Rng rng(seed);
  const std::vector<std::size_t> order = grouped(data.size(), k, rng);
  CodedAnswers answers{std::vector<float>(data.size() * classes),
                       std::vector<float>(data.size() * classes)};
  const std::size_t n = data.shape.bytes();
  for (std::size_t begin = 0; begin < order.size(); begin += k) {
    std::vector<float> images;
    for (std::size_t j = 0; j < k; ++j) {
      const std::vector<float> image = normalised(data, order[begin + j]);
      images.insert(images.end(), image.begin(), image.end());
    }
    const std::vector<float> coded = code.encode(images, n);
    std::vector<float> said;
    for (std::size_t i = 0; i < code.workers(); ++i) {
      const std::vector<float> row = scnn(std::span(coded).subspan(i * n, n));
      said.insert(said.end(), row.begin(), row.end());
    }
    std::vector<bool> arrived(code.workers(), true);
    const std::vector<float> whole = code.decode(said, arrived, classes);
    arrived[rng.below(code.workers())] = false;
    const std::vector<float> straggled = code.decode(said, arrived, classes);
    for (std::size_t j = 0; j < k; ++j) {
      put(answers.whole, order[begin + j], std::span(whole).subspan(j * classes, classes));
      put(answers.straggled, order[begin + j], std::span(straggled).subspan(j * classes, classes));
    }
  }
  return answers;
}

}  // namespace models
