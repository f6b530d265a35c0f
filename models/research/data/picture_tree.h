// A data set of picture files: a folder, or an archive of one, with a folder for each class.
//
//     .../airplane/0000.jpg    the class is the name of the folder that holds the file
//
// Pictures go through imaging::decode, as in a stage; JPEG, PNG and WebP are read.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/research/data/dataset.h"
#include "models/research/data/tile_file.h"

namespace models {

// The same pictures as tiles of another shape, which go to a file.
struct SecondTiles {
  TileShape shape;
  imaging::Preprocess preprocess;
  TileFile* file = nullptr;  // Borrowed; of tiles of shape.bytes().  It may have tiles already.
};

struct PictureTree {
  std::filesystem::path source;          // A folder or a tar archive.
  std::string name;                      // Name of the data set.
  TileShape shape;                       // Every picture gets it.
  Normalisation normalisation;           // Copied to the data set.
  imaging::Preprocess preprocess{};      // How a picture becomes a tile; likewise.
  std::vector<std::string> class_names;  // Allowed classes in order; empty: those found, sorted.
  // Is told of each file that is skipped, "notes.txt: not_an_image", as they are read.  Without it
  // a file that cannot be read or does not decode is an error, and links that are not followed are
  // passed over.
  std::function<void(const std::string& file)> on_skipped{};
  // Is told how many pictures have been read, after each.
  std::function<void(std::size_t pictures)> on_read{};
  std::optional<SecondTiles> second{};  // The data set's in_file numbers its tiles.
};

enum class Labels : std::uint8_t {
  required,  // Every file is in the folder of a class.
  if_any,    // The same, or no file is in a folder and all become kUnlabelled.
  ignored,   // All become kUnlabelled.
};

// Every picture, in order of path.  Requires an imaging::Library.  Throws std::runtime_error with
// one line that names the file: the source is missing or damaged, has no pictures, a picture does
// not decode (with the reason), a file has no class folder, or the folder is none of the classes.
Dataset load_picture_tree(const PictureTree& tree, Labels labels = Labels::required);

}  // namespace models
