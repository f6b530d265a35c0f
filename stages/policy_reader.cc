#include "stages/policy_reader.h"

#include <algorithm>
#include <string>
#include <vector>

namespace stages {
namespace {

imaging::FormatSet read_formats(runtime::Section& images, imaging::FormatSet fallback) {
  std::vector<std::string> defaults;
  std::string known;
  for (const auto& [key, format] : imaging::servable_formats()) {
    if (fallback.contains(format)) defaults.emplace_back(key);
    known += (known.empty() ? "" : ", ") + std::string(key);
  }
  const std::vector<std::string> keys = images.texts("formats", defaults);
  if (keys.empty()) images.fail("formats", "is empty, expected some of " + known);
  imaging::FormatSet formats{};
  for (const std::string& key : keys) {
    const auto served =
        std::ranges::find(imaging::servable_formats(), key, &imaging::ServableFormat::key);
    if (served == imaging::servable_formats().end()) {
      images.fail("formats", "has '" + key + "', expected some of " + known);
    }
    formats.insert(served->format);
  }
  return formats;
}

}  // namespace

Policy read_policy(runtime::Section root) {
  runtime::Section classifier = root.section("classifier");
  runtime::Section collage = root.section("collage");
  runtime::Section images = root.section("images");
  const auto count = [](runtime::Section& section, const char* key, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(section.integer(key, 1, 64, fallback));
  };
  Policy p;
  if (const auto capacity = classifier.integer_or_auto("capacity", 1, 64)) {
    p.classifier_capacity = static_cast<std::uint32_t>(*capacity);
  }
  p.batches_max = count(collage, "batches_max", p.batches_max);
  p.collage_capacity = count(collage, "capacity", p.collage_capacity);
  p.pixels_max = images.integer("pixels_max", 1, 1'000'000'000, p.pixels_max);
  p.formats = read_formats(images, p.formats);
  p.side_max = static_cast<int>(images.integer("side_max", 1, 65'535, p.side_max));
  return p;
}

}  // namespace stages
