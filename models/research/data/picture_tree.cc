#include "models/research/data/picture_tree.h"

#include <algorithm>
#include <stdexcept>

#include "imaging/decode.h"
#include "models/research/data/files.h"

namespace models {
namespace {

struct Found {
  std::string folder;  // Of the file, its last part only.
  std::string path;
  std::vector<std::uint8_t> pixels;
};

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().filename().string();
}

std::vector<Found> decode_all(const PictureTree& tree) {
  std::vector<Found> found;
  std::string first_skipped;
  const imaging::Target target{.width = tree.shape.width,
                               .height = tree.shape.height,
                               .channels = tree.shape.channels,
                               .preprocess = tree.preprocess};
  const auto take = [&](const std::string& path, std::span<const std::uint8_t> bytes) {
    auto picture = imaging::decode(bytes, target, imaging::Limits{});
    if (picture) {
      found.push_back({folder_of(path), path, std::move(picture->pixels)});
      return;
    }
    const std::string reason(to_string(picture.error()));
    if (!tree.on_skipped) {
      throw std::runtime_error(tree.source.string() + ": " + path + ": does not decode (" + reason +
                               ")");
    }
    if (first_skipped.empty()) first_skipped = " (" + path + ": " + reason + ")";
    tree.on_skipped(path + ": " + reason);
  };
  for (const std::string& link : for_each_file(tree.source, take)) {
    if (tree.on_skipped) tree.on_skipped(link);
  }
  if (found.empty()) {
    throw std::runtime_error(tree.source.string() + ": has no pictures" + first_skipped);
  }
  std::ranges::sort(found, {}, &Found::path);
  return found;
}

std::vector<std::string> folders_of(const std::vector<Found>& found) {
  std::vector<std::string> names;
  for (const Found& one : found) names.push_back(one.folder);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kListedMax = 20;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kListedMax); ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kListedMax ? out + ", ..." : out;
}

Dataset empty_dataset(const PictureTree& tree, std::vector<std::string> class_names) {
  return {.name = tree.name,
          .shape = tree.shape,
          .class_names = std::move(class_names),
          .normalisation = tree.normalisation,
          .preprocess = tree.preprocess,
          .pixels = {},
          .labels = {}};
}

// Takes the pixels from `one`, or all pictures would be in memory twice.
void append(Dataset& data, Found& one, int label) {
  data.pixels.insert(data.pixels.end(), one.pixels.begin(), one.pixels.end());
  data.labels.push_back(label);
  one.pixels = {};
}

}  // namespace

Dataset load_picture_tree(const PictureTree& tree, Labels labels) {
  std::vector<Found> found = decode_all(tree);
  const auto outside = [](const Found& one) { return one.folder.empty(); };
  const bool unlabelled = labels == Labels::if_any && std::ranges::all_of(found, outside);
  if (unlabelled) {
    Dataset data = empty_dataset(tree, tree.class_names);
    data.pixels.reserve(found.size() * tree.shape.bytes());
    for (Found& one : found) append(data, one, kUnlabelled);
    return data;
  }
  const auto fail = [&](const Found& one, const std::string& what) {
    throw std::runtime_error(tree.source.string() + ": " + one.path + ": " + what);
  };
  const auto first = std::ranges::find_if(found, outside);
  if (first != found.end()) fail(*first, "is in no folder; expected a folder named as its class");
  Dataset data =
      empty_dataset(tree, tree.class_names.empty() ? folders_of(found) : tree.class_names);
  data.pixels.reserve(found.size() * tree.shape.bytes());
  for (Found& one : found) {
    const auto place = std::ranges::find(data.class_names, one.folder);
    if (place == data.class_names.end()) {
      fail(one,
           "folder '" + one.folder + "' is no class, expected one of " + listed(data.class_names));
    }
    append(data, one, static_cast<int>(place - data.class_names.begin()));
  }
  return data;
}

}  // namespace models
