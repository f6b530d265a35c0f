#include "stages/policy_reader.h"

namespace stages {

Policy read_policy(runtime::Section root) {
  runtime::Section classifier = root.section("classifier");
  runtime::Section collage = root.section("collage");
  runtime::Section images = root.section("images");
  const auto count = [](runtime::Section& section, const char* key, std::uint32_t fallback) {
    return static_cast<std::uint32_t>(section.integer(key, 1, 64, fallback));
  };
  Policy p;
  p.classifier_capacity = count(classifier, "capacity", p.classifier_capacity);
  p.batches_max = count(collage, "batches_max", p.batches_max);
  p.collage_capacity = count(collage, "capacity", p.collage_capacity);
  p.pixels_max = images.integer("pixels_max", 1, 1'000'000'000, p.pixels_max);
  p.side_max = static_cast<int>(images.integer("side_max", 1, 65'535, p.side_max));
  return p;
}

}  // namespace stages
