// Makes a variant of a pipeline file in which some keys have other values, for replays.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/pipeline/pipeline.h"

namespace runtime {

// Returns `file` with all defaults as YAML text that load_pipeline can read.  Each key of
// `overrides` ("broker.linger", "policy") gets the value given there, or is left out if that value
// is empty.  Paths become absolute.  Throws ConfigError if the file is not valid.
std::string pipeline_variant(const std::filesystem::path& file,
                             const std::vector<std::pair<std::string, std::string>>& overrides);

// Returns a pipeline as YAML text that load_pipeline can read.  A comment after each key names the
// line of the file that sets it, or says "default".
std::string resolved_text(const Pipeline& pipeline);

}  // namespace runtime
