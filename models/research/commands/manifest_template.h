// A manifest to begin with for an s-CNN of a user's own.  Pure.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/serving/output_form.h"
#include "models/serving/tile.h"

namespace models {

// What can be seen in a network.
struct TemplateFacts {
  std::string name;
  std::filesystem::path weights;  // Relative to the manifest.
  std::string sha256;
  std::string version;
  TileShape tile;
  OutputForm output_form;
  std::vector<std::string> class_names;
  bool names_are_known = false;
  bool size_is_known = false;
};

// YAML that load_manifest() reads.  What cannot be seen has usual values, for a colour picture of
// 224x224 those of torchvision's ImageNet models, and a comment that begins with (?).
std::string manifest_template(const TemplateFacts& facts);

}  // namespace models
