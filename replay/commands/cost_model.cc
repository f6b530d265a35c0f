#include "replay/commands/cost_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

#include "imaging/decode.h"
#include "machine/quantile.h"
#include "models/research/data/dataset.h"
#include "models/research/evaluation/evaluate.h"
#include "models/serving/manifest_reader.h"
#include "models/serving/network.h"
#include "runtime/loop/clock.h"

namespace replay {
namespace {

constexpr std::size_t kRounds = 200;  // Timed calls of each kind.

double clock_s() { return wire::to_seconds(runtime::now().since_start); }

imaging::Picture decoded(const wire::Payload& image, const models::Manifest& manifest) {
  auto picture = imaging::decode(image.bytes(), manifest.target(), {});
  if (!picture) {
    throw std::runtime_error("a picture that is to be sent does not decode (" +
                             std::string(to_string(picture.error())) + ")");
  }
  return *std::move(picture);
}

wire::Duration median_decode(const std::vector<Sample>& samples, const models::Manifest& manifest) {
  std::vector<double> seconds;
  for (std::size_t i = 0; i < kRounds; ++i) {
    const wire::Payload& image = samples[i % samples.size()].image;
    const double begun = clock_s();
    (void)decoded(image, manifest);
    seconds.push_back(clock_s() - begun);
  }
  return wire::from_seconds(machine::quantile_of_unsorted(seconds, 0.5));
}

// Some of the samples as tiles of a model.
models::Dataset tiles_of(const std::vector<Sample>& samples, const models::Manifest& manifest) {
  constexpr std::size_t kTiles = 50;
  models::Dataset data{.name = manifest.dataset,
                       .shape = manifest.tile,
                       .class_names = manifest.class_names,
                       .normalisation = manifest.normalisation,
                       .pixels = {},
                       .labels = {}};
  for (std::size_t i = 0; i < std::min(kTiles, samples.size()); ++i) {
    const imaging::Picture picture = decoded(samples[i].image, manifest);
    data.pixels.insert(data.pixels.end(), picture.pixels.begin(), picture.pixels.end());
    data.labels.push_back(models::kUnlabelled);
  }
  return data;
}

}  // namespace

ModelCosts measure_costs(const runtime::Pipeline& pipeline, const std::vector<Sample>& samples) {
  const models::Network single(models::load_manifest(pipeline.models.single));
  const models::Network collage(models::load_manifest(pipeline.models.collage));
  const models::Dataset of_single = tiles_of(samples, single.manifest());
  const models::Dataset of_collage = tiles_of(samples, collage.manifest());
  const models::Timed timed[] = {{&single, &of_single}, {&collage, &of_collage}};
  const std::vector<double> seconds = models::median_latencies(timed, kRounds, clock_s);
  return {seconds[0], seconds[1], median_decode(samples, single.manifest())};
}

std::string machine_description() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string model = "unknown processor";
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
  return fmt::format("{} cores of {}", sysconf(_SC_NPROCESSORS_ONLN), model);
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace replay
