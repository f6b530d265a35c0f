#include "runtime/pipeline/variant.h"

#include <algorithm>
#include <map>

namespace runtime {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;  // Paths with their values.

void set(Values& values, const std::string& path, const std::string& value) {
  for (auto& [known, old] : values) {
    if (known == path) {
      old = value;
      return;
    }
  }
  values.emplace_back(path, value);
}

// Prints keys without a section first, then the sections by name.
std::string yaml_of(const Values& values) {
  std::string plain;
  std::map<std::string, std::string> sections;
  for (const auto& [path, value] : values) {
    const std::size_t dot = path.find('.');
    if (dot == path.npos) {
      plain += path + ": " + value + "\n";
    } else {
      sections[path.substr(0, dot)] += "  " + path.substr(dot + 1) + ": " + value + "\n";
    }
  }
  for (const auto& [name, lines] : sections) plain += name + ":\n" + lines;
  return plain;
}

}  // namespace

std::string pipeline_variant(const std::filesystem::path& file, const Values& overrides) {
  const Pipeline pipeline = load_pipeline(file);
  Values values;
  for (const Document::Resolved& resolved : pipeline.service.resolved) {
    values.emplace_back(resolved.path, resolved.value);
  }
  // Absolute, because the variant is written to another folder than the file.
  set(values, "models.single", std::filesystem::absolute(pipeline.models.single).string());
  if (!pipeline.models.collage.empty()) {
    set(values, "models.collage", std::filesystem::absolute(pipeline.models.collage).string());
  }
  if (pipeline.service.keys) {
    set(values, "security.keys", std::filesystem::absolute(*pipeline.service.keys).string());
  }
  if (pipeline.emulation) {
    for (const auto& [key, value] : latency_keys(pipeline.emulation->latency)) {
      set(values, "emulation." + key, value);
    }
  }
  for (const auto& [path, value] : overrides) set(values, path, value);
  std::erase_if(values, [](const auto& each) { return each.second.empty(); });
  return yaml_of(values);
}

std::string resolved_text(const Pipeline& pipeline) {
  constexpr std::size_t kCommentColumn = 44;  // To the right of all but the longest paths.
  Values values;
  for (const Document::Resolved& resolved : pipeline.service.resolved) {
    const std::size_t dot = resolved.path.find('.');
    const std::size_t key =
        dot == std::string::npos ? resolved.path.size() : 2 + resolved.path.size() - (dot + 1);
    const std::size_t used = key + 2 + resolved.value.size();
    const std::string pad(kCommentColumn - std::min(kCommentColumn, used), ' ');
    values.emplace_back(
        resolved.path,
        resolved.value + pad + "  # " +
            (resolved.line == 0 ? "default" : "line " + std::to_string(resolved.line)));
  }
  return "# " + pipeline.service.file.string() + "\n" + yaml_of(values);
}

}  // namespace runtime
