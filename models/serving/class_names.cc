#include "models/serving/class_names.h"

#include "models/serving/manifest_reader.h"

namespace models {

std::vector<std::string> load_class_names(const std::filesystem::path& manifest) {
  return load_manifest(manifest).class_names;
}

}  // namespace models
