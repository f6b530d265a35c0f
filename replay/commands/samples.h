// The test images that replays send, in the form in which a producer sends them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/research/data/dataset.h"
#include "wire/payload.h"

namespace replay {

struct Sample {
  wire::Payload image;  // PNG, or a file of a user's own.
  std::string label;
};

// The test images of a data set by its name.  $COLLAGE_DATA names the folder of those data sets
// that no package contains.  Throws std::runtime_error.
models::Dataset test_images(const std::string& dataset);

// `count` test images in an order drawn from `seed`; after the last image follows the first one
// again.  The images are PNG files below out/images, which the call writes if they do not exist.
// Requires an imaging::Library.
std::vector<Sample> choose_samples(const models::Dataset& data, std::size_t count,
                                   std::uint64_t seed);

// `count` pictures of a user's own, the files as they are, in an order drawn from `seed`; at most
// kOwnPicturesMax different ones, then from the first one again.  `source` is a folder or tar
// archive, and the name of a picture's folder is its label; files that are no pictures, or
// damaged, are skipped and said on standard error.  Throws std::runtime_error with one line: the
// source is missing, has no pictures, or there are `class_names` and a picture's folder is none of
// them.
inline constexpr std::size_t kOwnPicturesMax = 2000;  // They stay in memory.
std::vector<Sample> own_samples(const std::filesystem::path& source,
                                const std::optional<std::vector<std::string>>& class_names,
                                std::size_t count, std::uint64_t seed);

}  // namespace replay
