// Where the data sets that ship weights were trained on may lie, and which form is there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/research/data/dataset.h"

namespace models {

// The data sets that --dataset knows by name.
std::vector<std::string> dataset_names();  // "fashion", "cifar10", "imagenet64"

// A part of a data set, and where it was found.
struct Source {
  std::string name;
  Part part = Part::train;
  std::filesystem::path place;  // What the loader of the form takes: a folder or an archive.
  enum class Form : std::uint8_t { idx, tree, cifar_binary } form = Form::idx;
};

// Looks in `folder`, if one is given:
//   fashion   the IDX files, in it or in its fashion-mnist/; else where Debian puts them
//   cifar10   train/CLASS/*.jpg and test/CLASS/*.jpg, cifar10-train.tar.gz and -test.tar.gz of such
//             trees, data_batch_1.bin .., or cifar-10-binary.tar.gz; in it, in its cifar10/ or in
//             its cifar-10-batches-bin/
//   imagenet64  the same trees and archives, named imagenet64-train.tar.gz and -test.tar.gz; in it
//             or in its imagenet64/
// The first of these that is there, place by place; nullopt if none is, or the name is unknown.
std::optional<Source> find_source(const std::string& name, Part part,
                                  const std::optional<std::filesystem::path>& folder);

// Throws std::runtime_error as the loader of the form does.  Requires an imaging::Library for a
// tree.
Dataset load(const Source& source);

// Both at once; throws std::runtime_error with one line that lists what was looked for if it is not
// there.
Dataset load_by_name(const std::string& name, Part part,
                     const std::optional<std::filesystem::path>& folder);

}  // namespace models
