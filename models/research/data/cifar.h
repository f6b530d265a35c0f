// Reads CIFAR-10 (Krizhevsky 2009) in its binary format.
//
//     data_batch_1.bin .. data_batch_5.bin, test_batch.bin: records of 3,073 bytes, a label (0..9)
//     and 32x32 red, then green, then blue, row by row
#pragma once

#include <filesystem>

#include "models/research/data/dataset.h"

namespace models {

// From the folder cifar-10-batches-bin or the archive cifar-10-binary.tar.gz.  Throws
// std::runtime_error with one line that names the file: a batch missing, cut short, or a label
// over 9.
Dataset load_cifar_binary(const std::filesystem::path& source, Part part);

// What every form of CIFAR-10 shares: name, shape, classes and normalisation; no pictures.
Dataset cifar_without_pictures();

}  // namespace models
