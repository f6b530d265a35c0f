// Reads a model's manifest from YAML.
#pragma once

#include <filesystem>

#include "models/serving/manifest.h"

namespace models {

// Its weights path is resolved against the manifest's folder.  Throws runtime::ConfigError (a
// std::runtime_error) with one line: 'FILE:LINE:COLUMN: key: what is wrong, what is allowed'.
// Does not open the weights; Network does.
Manifest load_manifest(const std::filesystem::path& file);

// The same from text, named `name` in errors.
Manifest parse_manifest(const std::string& text, const std::filesystem::path& name);

}  // namespace models
