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
  std::size_t in_file = 0;  // Number of its second tile, if there is one.
};

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().filename().string();
}

imaging::Target target_of(const TileShape& shape, const imaging::Preprocess& preprocess) {
  return {.width = shape.width,
          .height = shape.height,
          .channels = shape.channels,
          .preprocess = preprocess};
}

// Decodes the files of a tree, one after another.
class Decoder {
 public:
  explicit Decoder(const PictureTree& tree) : tree_(tree) {}

  std::vector<Found> all() {
    const LeftOut left_out = for_each_file(
        tree_.source, [this](const std::string& path, std::span<const std::uint8_t> bytes) {
          take(path, bytes);
        });
    for (const std::string& file : left_out.files) skip(file, file);
    if (tree_.on_skipped) std::ranges::for_each(left_out.links, tree_.on_skipped);
    if (found_.empty()) fail("has no pictures" + first_skipped_);
    std::ranges::sort(found_, {}, &Found::path);
    return std::move(found_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(tree_.source.string() + ": " + what);
  }

  // `error` is what is said where no file may be skipped.
  void skip(const std::string& file, const std::string& error) {
    if (!tree_.on_skipped) fail(error);
    if (first_skipped_.empty()) first_skipped_ = " (" + file + ")";
    tree_.on_skipped(file);
  }

  void take(const std::string& path, std::span<const std::uint8_t> bytes) {
    using Decoded = tl::expected<imaging::Picture, wire::Reason>;
    const auto decoded = [&](const TileShape& shape, const imaging::Preprocess& preprocess) {
      return imaging::decode(bytes, target_of(shape, preprocess), imaging::Limits{});
    };
    Decoded tile = decoded(tree_.shape, tree_.preprocess);
    const auto& second = tree_.second;
    const Decoded other = tile && second ? decoded(second->shape, second->preprocess) : Decoded();
    if (!tile || !other) {
      const std::string reason(to_string(tile ? other.error() : tile.error()));
      skip(path + ": " + reason, path + ": does not decode (" + reason + ")");
      return;
    }
    found_.push_back({.folder = folder_of(path),
                      .path = path,
                      .pixels = std::move(tile->pixels),
                      .in_file = second ? second->file->size() : 0});
    if (second) second->file->append(other->pixels);
    if (tree_.on_read) tree_.on_read(found_.size());
  }

  const PictureTree& tree_;
  std::vector<Found> found_;
  std::string first_skipped_;
};

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
void append(Dataset& data, Found& one, int label, bool in_file) {
  data.pixels.insert(data.pixels.end(), one.pixels.begin(), one.pixels.end());
  data.labels.push_back(label);
  if (in_file) data.in_file.push_back(one.in_file);
  std::vector<std::uint8_t>().swap(one.pixels);  // Assigning {} would keep the memory.
}

}  // namespace

Dataset load_picture_tree(const PictureTree& tree, Labels labels) {
  std::vector<Found> found = Decoder(tree).all();
  const bool in_file = tree.second.has_value();
  const auto outside = [](const Found& one) { return one.folder.empty(); };
  const bool unlabelled = labels == Labels::ignored ||
                          (labels == Labels::if_any && std::ranges::all_of(found, outside));
  if (unlabelled) {
    Dataset data = empty_dataset(tree, tree.class_names);
    data.pixels.reserve(found.size() * tree.shape.bytes());
    for (Found& one : found) append(data, one, kUnlabelled, in_file);
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
      fail(one, "folder '" + one.folder + "' is no class, expected one of " +
                    listed(data.class_names) +
                    (labels == Labels::if_any ? " (or --unlabelled)" : ""));
    }
    append(data, one, static_cast<int>(place - data.class_names.begin()), in_file);
  }
  return data;
}

}  // namespace models
