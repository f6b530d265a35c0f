// The test images that replays send, in the form in which a producer sends them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/research/data/dataset.h"
#include "wire/payload.h"

namespace replay {

struct Sample {
  wire::Payload image;  // PNG.
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

}  // namespace replay
