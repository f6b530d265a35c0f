// Reads the IDX format of MNIST and Fashion-MNIST, plain or gzipped.
//
//     00 00 08 rank, then rank sizes as big-endian 32-bit numbers, then unsigned bytes, row-major.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace models {

struct IdxArray {
  std::vector<std::size_t> shape;    // Outermost first.
  std::vector<std::uint8_t> values;  // As many as the product of shape.
};

// Throws std::runtime_error with one line that names the file: missing, not IDX, too large
// (over 1 GiB), truncated, or with bytes left over.
IdxArray read_idx(const std::filesystem::path& file);

}  // namespace models
