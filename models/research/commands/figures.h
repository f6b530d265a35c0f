// Measured figures of models as JSON, for `eval` and `compare`.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/serving/manifest.h"

namespace models {

// {"dataset", "model", "grid", "head"}: which model it is.
nlohmann::ordered_json model_figures(const Manifest& manifest);

// Fills loss_points and latency_ratio of every row from the row whose model is "single".  Throws
// std::runtime_error if there is none.
void compare_with_single(nlohmann::ordered_json& rows);

// Every manifest in a folder (not in its sub-folders), in order of name.
std::vector<std::filesystem::path> manifests_in(const std::filesystem::path& folder);

// Writes by rename; makes the folder if needed.
void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& json);

}  // namespace models
