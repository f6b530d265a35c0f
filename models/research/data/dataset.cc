#include "models/research/data/dataset.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <unordered_set>

#include "models/research/data/idx.h"
#include "models/research/data/tiling.h"
#include "models/serving/sha256.h"
#include "wire/check.h"

namespace models {
namespace {

constexpr std::uint64_t kHoldBackSeed =
    0x636f6c6c616765;  // "collage" in ASCII; one split for all runs.

}  // namespace

std::filesystem::path fashion_mnist_folder() { return "/usr/share/datasets/fashion-mnist"; }

Dataset load_fashion_mnist(const std::filesystem::path& folder, Part part) {
  const std::string stem = part == Part::train ? "train" : "t10k";
  const std::filesystem::path image_file = folder / (stem + "-images-idx3-ubyte.gz");
  IdxArray images = read_idx(image_file);
  const IdxArray labels = read_idx(folder / (stem + "-labels-idx1-ubyte.gz"));
  if (images.shape.size() != 3 || images.shape[1] != 28 || images.shape[2] != 28) {
    throw std::runtime_error(image_file.string() + ": does not hold 28x28 pictures");
  }
  Dataset data{.name = "fashion",
               .shape = {.width = 28, .height = 28, .channels = 1},
               .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal",
                               "Shirt", "Sneaker", "Bag", "Ankle boot"},
               .normalisation = {.mean = {0.2860}, .deviation = {0.3530}},
               .pixels = std::move(images.values),
               .labels = std::vector<int>(labels.values.begin(), labels.values.end())};
  if (data.size() != images.shape[0]) {
    throw std::runtime_error(image_file.string() + ": as many pictures as labels expected");
  }
  if (std::ranges::any_of(data.labels, [](int label) { return label > 9; })) {
    throw std::runtime_error(image_file.string() + ": a label is over 9");
  }
  return data;
}

Dataset select(const Dataset& data, std::span<const std::size_t> indices) {
  Dataset out{.name = data.name,
              .shape = data.shape,
              .class_names = data.class_names,
              .normalisation = data.normalisation,
              .preprocess = data.preprocess,
              .pixels = {},
              .labels = {}};
  out.pixels.reserve(indices.size() * data.shape.bytes());
  out.labels.reserve(indices.size());
  for (const std::size_t i : indices) {
    const auto tile = data.tile(i);
    out.pixels.insert(out.pixels.end(), tile.begin(), tile.end());
    out.labels.push_back(data.labels[i]);
    if (!data.in_file.empty()) out.in_file.push_back(data.in_file[i]);
  }
  return out;
}

Dataset without(const Dataset& data, const Dataset& known) {
  const auto text = [](const Dataset& of, std::size_t i) {
    const auto tile = of.tile(i);
    return std::string_view(reinterpret_cast<const char*>(tile.data()), tile.size());
  };
  std::unordered_set<std::string_view> there;
  for (std::size_t i = 0; i < known.size(); ++i) there.insert(text(known, i));
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!there.contains(text(data, i))) others.push_back(i);
  }
  return select(data, others);
}

void append(Dataset& data, const Dataset& more) {
  COLLAGE_CHECK(data.shape == more.shape && data.in_file.empty() == more.in_file.empty());
  data.pixels.reserve(data.pixels.size() + more.pixels.size());  // Not twice as much.
  data.pixels.insert(data.pixels.end(), more.pixels.begin(), more.pixels.end());
  data.labels.insert(data.labels.end(), more.labels.begin(), more.labels.end());
  data.in_file.insert(data.in_file.end(), more.in_file.begin(), more.in_file.end());
}

std::string digest_of(const Dataset& data) {
  Sha256 hash;
  hash.add(std::to_string(data.shape.width) + "x" + std::to_string(data.shape.height) + "x" +
           std::to_string(data.shape.channels));
  hash.add(data.pixels);
  for (const int label : data.labels) hash.add(std::to_string(label));
  for (const std::string& name : data.class_names) hash.add(name);
  std::vector<double> numbers = data.normalisation.mean;
  std::ranges::copy(data.normalisation.deviation, std::back_inserter(numbers));
  numbers.push_back(data.normalisation.range);
  // To the bit, for a decimal text would round.
  for (const double one : numbers) hash.add(std::to_string(std::bit_cast<std::uint64_t>(one)));
  hash.add(data.normalisation.order == ChannelOrder::bgr ? "bgr" : "rgb");
  return hash.hex().substr(0, 16);
}

std::pair<Dataset, Dataset> hold_back(const Dataset& data, std::size_t held_back) {
  COLLAGE_CHECK(held_back <= data.size());
  machine::Rng rng(kHoldBackSeed);
  const std::vector<std::size_t> order = shuffled(data.size(), rng);
  const std::span<const std::size_t> all(order);
  return {select(data, all.subspan(held_back)), select(data, all.first(held_back))};
}

}  // namespace models
