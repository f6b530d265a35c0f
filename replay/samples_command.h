// The test images that replays send, as the files a producer would send.
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

// The test images of a data set, by its name; $COLLAGE_DATA says where those lie that no package
// has. Throws std::runtime_error.
models::Dataset test_images(const std::string& dataset);

// `count` test images in an order drawn from `seed`, from the beginning again after the last, each
// read from a PNG file below out/images, which is written where it is not there yet.
// Requires an imaging::Library.
std::vector<Sample> choose_samples(const models::Dataset& data, std::size_t count,
                                   std::uint64_t seed);

}  // namespace replay
