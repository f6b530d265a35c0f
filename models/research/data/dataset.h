// Labelled pictures of one size in memory: what every loader makes and everything else takes.
//
// A loader for another format is one function that returns a Dataset; nothing that trains or
// evaluates knows where the pictures came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "imaging/preprocess.h"
#include "models/serving/tile.h"

namespace models {

// The label of a picture that has none; not -1, which a blank slot has in training.
inline constexpr int kUnlabelled = -2;

struct Dataset {
  std::string name;
  TileShape shape;
  std::vector<std::string> class_names;
  Normalisation normalisation;
  imaging::Preprocess preprocess{};  // How files became tiles; for the models trained on them.
  std::vector<std::uint8_t> pixels;  // size() tiles one after another.
  std::vector<int> labels;           // Each in [0, class_names.size()), or kUnlabelled.
  // The number of each picture's tile in a TileFile that has it at another size; empty if none has.
  std::vector<std::size_t> in_file{};

  std::size_t size() const { return labels.size(); }
  // Requires i < size().
  std::span<const std::uint8_t> tile(std::size_t i) const {
    return std::span(pixels).subspan(i * shape.bytes(), shape.bytes());
  }
};

enum class Part : std::uint8_t { train, test };

// Fashion-MNIST (Xiao et al. 2017) from the four gzipped IDX files in `folder`.  Throws
// std::runtime_error with one line if a file is missing, damaged or not of the data set.
Dataset load_fashion_mnist(const std::filesystem::path& folder, Part part);

// Where Debian's dataset-fashion-mnist puts them.
std::filesystem::path fashion_mnist_folder();

// A hash of the pictures, their labels, the names of the classes and the normalisation: 16
// hexadecimal digits, the same exactly if a run on `data` would see the same.
std::string digest_of(const Dataset& data);

// The pictures at `indices`, in that order.  Requires each index < data.size().
Dataset select(const Dataset& data, std::span<const std::size_t> indices);

// The pictures of `data` that are not, to the last pixel, among those of `known`, in their order.
Dataset without(const Dataset& data, const Dataset& known);

// Adds the pictures of `more` behind those of `data`.  Requires the same shape, and in_file of both
// or of neither.
void append(Dataset& data, const Dataset& more);

// Splits off `held_back` pictures for choosing among models: {the rest, held back}.  The split is
// the same for every run and model, so that a teacher has not seen what its student is validated
// on. Requires held_back <= data.size().
std::pair<Dataset, Dataset> hold_back(const Dataset& data, std::size_t held_back);

}  // namespace models
