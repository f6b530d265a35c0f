#include "models/research/commands/figures.h"

#include <algorithm>
#include <stdexcept>

#include "models/research/atomic_file.h"

namespace models {

nlohmann::ordered_json model_figures(const Manifest& manifest) {
  const bool collage = manifest.kind == Kind::collage;
  const char* head = !collage ? "none" : manifest.head == Head::detect ? "detect" : "grid";
  return {{"dataset", manifest.dataset},
          {"model", collage ? "collage" : "single"},
          {"grid", manifest.grid},
          {"head", head}};
}

void compare_with_single(nlohmann::ordered_json& rows) {
  const auto single =
      std::ranges::find_if(rows, [](const auto& row) { return row["model"] == "single"; });
  if (single == rows.end()) {
    throw std::runtime_error("the manifest of a single is needed to compare with");
  }
  const double accuracy = (*single)["accuracy"];
  const double latency_ms = (*single)["latency_ms"];
  for (auto& row : rows) {
    row["loss_points"] = 100 * (accuracy - row["accuracy"].get<double>());
    row["latency_ratio"] = row["latency_ms"].get<double>() / latency_ms;
  }
}

std::vector<std::filesystem::path> manifests_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void write_json(const std::filesystem::path& file, const nlohmann::ordered_json& json) {
  write_text(file, json.dump(2) + "\n");
}

}  // namespace models
