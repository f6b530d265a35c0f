// A pipeline like that of a file, but for some keys: what replays and `pipeline` start from.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runtime/pipeline/pipeline.h"

namespace runtime {

// The whole of `file`, defaults included, as YAML text that load_pipeline reads back, with each
// key of `overrides` ("broker.linger", "policy") at its value, or left out if that is empty.  Paths
// become absolute.  Throws ConfigError if the file is not valid.
std::string pipeline_variant(const std::filesystem::path& file,
                             const std::vector<std::pair<std::string, std::string>>& overrides);

// The whole of a pipeline as YAML text that load_pipeline reads back; behind each key, as a
// comment, the line that it comes from, or that it is the default.
std::string resolved_text(const Pipeline& pipeline);

}  // namespace runtime
