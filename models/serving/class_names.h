// The class names of a model: all that a process without a network needs of its manifest.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace models {

// Reads and checks the whole manifest.  Throws as load_manifest() does (manifest_reader.h).
std::vector<std::string> load_class_names(const std::filesystem::path& manifest);

}  // namespace models
