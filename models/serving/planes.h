// A picture as the numbers that a network takes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "models/serving/tile.h"

namespace models {

// The normalised value of each 8-bit value, a table for each channel of the network, and the
// channel of a picture that it is made of.
struct ValueTable {
  std::size_t source = 0;
  std::array<float, 256> values{};
};
using ValueTables = std::vector<ValueTable>;
ValueTables tables_of(const Normalisation& normalisation);

// One whole picture for inference: channels x height x width, normalised.  Requires shape.bytes()
// pixels and a table for each channel.
std::vector<float> planes_of(std::span<const std::uint8_t> pixels, const TileShape& shape,
                             const ValueTables& tables);

}  // namespace models
