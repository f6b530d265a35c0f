#include "replay/commands/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "imaging/encode.h"
#include "machine/random.h"
#include "models/research/data/sources.h"
#include "runtime/config/config_error.h"

namespace replay {
namespace {

namespace fs = std::filesystem;

// Class names may contain a slash: "T-shirt/top".
std::string folder_name(std::string label) {
  std::ranges::replace(label, '/', '-');
  return label;
}

const std::string& label_of(const models::Dataset& data, std::size_t index) {
  return data.class_names[static_cast<std::size_t>(data.labels[index])];
}

fs::path folder_of(const models::Dataset& data) {
  return fs::path("out/images") /
         (data.name == "fashion" ? "fashion-mnist-test" : data.name + "-test");
}

fs::path image_path(const models::Dataset& data, std::size_t index) {
  return folder_of(data) / folder_name(label_of(data, index)) / fmt::format("{:05}.png", index);
}

// Writes a folder for each class, which is the layout that `collage-push --labels` reads.
void write_images(const models::Dataset& data) {
  if (fs::exists(image_path(data, data.size() - 1))) return;
  std::fprintf(stderr, "writing %zu test images to %s\n", data.size(), folder_of(data).c_str());
  for (std::size_t i = 0; i < data.size(); ++i) {
    const fs::path file = image_path(data, i);
    fs::create_directories(file.parent_path());
    const auto tile = data.tile(i);
    imaging::write_png(
        file,
        {data.shape.width, data.shape.height, data.shape.channels, {tile.begin(), tile.end()}});
  }
}

wire::Payload image_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw runtime::ConfigError(path.string() + ": cannot be read");
  return wire::Payload({std::istreambuf_iterator<char>(in), {}});
}

}  // namespace

models::Dataset test_images(const std::string& dataset) {
  const char* folder = std::getenv("COLLAGE_DATA");
  return models::load_by_name(dataset, models::Part::test,
                              folder == nullptr ? std::nullopt : std::optional<fs::path>(folder));
}

std::vector<Sample> choose_samples(const models::Dataset& data, std::size_t count,
                                   std::uint64_t seed) {
  write_images(data);
  std::vector<std::size_t> order(data.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  machine::Rng rng(seed);
  for (std::size_t i = 0; i < std::min(count, order.size()); ++i) {
    std::swap(order[i], order[i + rng.below(order.size() - i)]);
  }
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    if (i >= order.size()) {
      samples.push_back(samples[i - order.size()]);  // Shares its bytes.
      continue;
    }
    samples.push_back({image_of(image_path(data, order[i])), label_of(data, order[i])});
  }
  return samples;
}

}  // namespace replay
