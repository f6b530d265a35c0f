#include "replay/commands/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "imaging/decode.h"
#include "imaging/encode.h"
#include "imaging/format.h"
#include "machine/random.h"
#include "models/research/commands/skipped_files.h"
#include "models/research/data/files.h"
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

// `count` samples: after the last one follows the first one again and shares its bytes.
std::vector<Sample> repeated(std::vector<Sample> samples, std::size_t count) {
  const std::size_t different = samples.size();
  samples.reserve(count);
  for (std::size_t i = different; i < count; ++i) samples.push_back(samples[i - different]);
  return samples;
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
  for (std::size_t i = 0; i < std::min(count, order.size()); ++i) {
    samples.push_back({image_of(image_path(data, order[i])), label_of(data, order[i])});
  }
  return repeated(std::move(samples), count);
}

std::vector<Sample> own_samples(const fs::path& source,
                                const std::optional<std::vector<std::string>>& class_names,
                                std::size_t count, std::uint64_t seed) {
  constexpr imaging::Target kSmall{.width = 8, .height = 8, .channels = 3};  // To see it decode.
  const std::size_t different = std::min(count, kOwnPicturesMax);
  machine::Rng rng(seed);
  std::vector<Sample> samples;
  std::size_t seen = 0;
  models::SkippedFiles skipped(source);
  const auto skip = skipped.hook();
  const auto visit = [&](const std::string& path, std::span<const std::uint8_t> bytes) {
    if (!imaging::kDefaultFormats.contains(imaging::format_of(bytes))) {
      skip(path + ": no picture");
      return;
    }
    const std::string label = fs::path(path).parent_path().filename().string();
    if (class_names && std::ranges::find(*class_names, label) == class_names->end()) {
      throw std::runtime_error(source.string() + ": " + path +
                               ": is not in a folder that is named as a class of the s-CNN");
    }
    // Each picture has the same chance to be kept (reservoir sampling, Vitter 1985).
    seen += 1;
    const std::size_t place = samples.size() < different ? samples.size() : rng.below(seen);
    if (place >= different) return;
    const auto picture = imaging::decode(bytes, kSmall, {});
    if (!picture) {
      skip(path + ": " + std::string(to_string(picture.error())));
      return;
    }
    Sample sample{wire::Payload(wire::Payload::Bytes(bytes.begin(), bytes.end())), label};
    if (place == samples.size()) {
      samples.push_back(std::move(sample));
    } else {
      samples[place] = std::move(sample);
    }
  };
  const models::LeftOut left_out = models::for_each_file(source, visit);
  std::ranges::for_each(left_out.files, skip);
  std::ranges::for_each(left_out.links, skip);
  if (const std::string line = skipped.summary(); !line.empty()) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  if (samples.empty()) throw std::runtime_error(source.string() + ": has no pictures");
  for (std::size_t i = samples.size(); i > 1; --i) std::swap(samples[i - 1], samples[rng.below(i)]);
  return repeated(std::move(samples), count);
}

}  // namespace replay
