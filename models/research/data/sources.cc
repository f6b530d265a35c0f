#include "models/research/data/sources.h"

#include <stdexcept>

#include "models/research/data/cifar.h"
#include "models/research/data/imagenet64.h"
#include "models/research/data/picture_tree.h"

namespace models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCifar = "cifar10";
constexpr const char* kImageNet64 = "imagenet64";

std::string word_of(Part part) { return part == Part::train ? "train" : "test"; }

std::string archive_name(const std::string& name, Part part) {
  return name + "-" + word_of(part) + ".tar.gz";
}

std::optional<Source> find_fashion(Part part, const std::optional<fs::path>& folder) {
  std::vector<fs::path> places;
  if (folder) places = {*folder, *folder / "fashion-mnist"};
  places.push_back(fashion_mnist_folder());
  const char* images =
      part == Part::train ? "train-images-idx3-ubyte.gz" : "t10k-images-idx3-ubyte.gz";
  for (const fs::path& place : places) {
    if (fs::exists(place / images)) {
      return Source{"fashion", part, place, Source::Form::idx};
    }
  }
  return std::nullopt;
}

// A data set of picture files; CIFAR-10 has a binary form too.
std::optional<Source> find_pictures(const std::string& name, Part part,
                                    const std::optional<fs::path>& folder) {
  if (!folder) return std::nullopt;
  const bool cifar = name == kCifar;
  const std::string word = word_of(part);
  std::vector<fs::path> places = {*folder, *folder / name};
  if (cifar) places.push_back(*folder / "cifar-10-batches-bin");
  for (const fs::path& place : places) {
    const auto found = [&](const fs::path& where, Source::Form form) {
      return Source{name, part, where, form};
    };
    const fs::path archive = place / archive_name(name, part);
    if (fs::is_directory(place / word)) return found(place / word, Source::Form::tree);
    if (fs::exists(archive)) return found(archive, Source::Form::tree);
    if (!cifar) continue;
    if (fs::exists(place / "data_batch_1.bin") || fs::exists(place / "test_batch.bin")) {
      return found(place, Source::Form::cifar_binary);
    }
    if (fs::exists(place / "cifar-10-binary.tar.gz")) {
      return found(place / "cifar-10-binary.tar.gz", Source::Form::cifar_binary);
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> dataset_names() { return {"fashion", kCifar, kImageNet64}; }

std::optional<Source> find_source(const std::string& name, Part part,
                                  const std::optional<fs::path>& folder) {
  if (name == "fashion") return find_fashion(part, folder);
  if (name == kCifar || name == kImageNet64) return find_pictures(name, part, folder);
  return std::nullopt;
}

Dataset load(const Source& source) {
  switch (source.form) {
    case Source::Form::idx:
      return load_fashion_mnist(source.place, source.part);
    case Source::Form::cifar_binary:
      return load_cifar_binary(source.place, source.part);
    case Source::Form::tree:
      break;
  }
  const Dataset plain =
      source.name == kImageNet64 ? imagenet64_without_pictures() : cifar_without_pictures();
  return load_picture_tree({.source = source.place,
                            .name = plain.name,
                            .shape = plain.shape,
                            .normalisation = plain.normalisation,
                            .class_names = plain.class_names});
}

Dataset load_by_name(const std::string& name, Part part, const std::optional<fs::path>& folder) {
  const std::optional<Source> source = find_source(name, part, folder);
  if (source) return load(*source);
  if (name == "fashion") {
    throw std::runtime_error(
        "fashion: no IDX files; install dataset-fashion-mnist, or give their "
        "folder by --data");
  }
  if (name != kCifar && name != kImageNet64) throw std::runtime_error(name + ": no such data set");
  throw std::runtime_error(name + ": not found" + (folder ? " in " + folder->string() : "") +
                           "; expected " + word_of(part) + "/CLASS/*.jpg" +
                           (name == kCifar ? ", " : " or ") + archive_name(name, part) +
                           (name == kCifar ? ", data_batch_1.bin or cifar-10-binary.tar.gz" : "") +
                           "; --data or COLLAGE_DATA gives the folder");
}

}  // namespace models
