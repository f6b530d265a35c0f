#include "stages/served_models.h"

#include <string>

#include "models/serving/manifest_reader.h"
#include "runtime/config/config_error.h"

namespace stages {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& manifest, const std::string& what) {
  throw runtime::ConfigError(manifest.string() + ": " + what);
}

}  // namespace

models::Manifest read_single(const runtime::Pipeline& pipeline) {
  models::Manifest single = models::load_manifest(pipeline.models.single);
  if (single.kind != models::Kind::single) {
    refuse(pipeline.models.single,
           "kind: is not single, models.single must name a single-image model");
  }
  return single;
}

models::Manifest read_collage(const runtime::Pipeline& pipeline) {
  if (pipeline.models.collage.empty()) {
    refuse(pipeline.service.file, "models.collage: is missing, a collage stage needs it");
  }
  models::Manifest collage = models::load_manifest(pipeline.models.collage);
  if (collage.kind != models::Kind::collage) {
    refuse(pipeline.models.collage,
           "kind: is not collage, models.collage must name a collage model");
  }
  if (collage.grid != pipeline.grid) {
    refuse(pipeline.models.collage, "grid: is " + std::to_string(collage.grid) +
                                        ", the pipeline's is " + std::to_string(pipeline.grid));
  }
  if (collage.class_names != read_single(pipeline).class_names) {
    refuse(pipeline.models.collage, "classes: are not those of the single-image model");
  }
  return collage;
}

models::ServingPolicy serving_policy(const runtime::Pipeline& pipeline, std::size_t together_max) {
  using models::Precision;
  const std::string& word = pipeline.models.precision;
  return {.together_max = together_max,
          .precision = word == "float"      ? Precision::float32
                       : word == "bfloat16" ? Precision::bfloat16
                                            : Precision::automatic};
}

void check_collage(const runtime::Pipeline& pipeline) {
  if (!pipeline.models.collage.empty()) (void)read_collage(pipeline);
}

void require_same_shape(const models::Manifest& serving, const models::Manifest& fresh,
                        const std::filesystem::path& file) {
  if (fresh.class_names != serving.class_names) {
    refuse(file,
           "class_names: differ from those being served; other classes need a pipeline of "
           "their own");
  }
  // Pictures that are half made for one layout fit no other.
  const bool same = fresh.grid == serving.grid && fresh.tile.width == serving.tile.width &&
                    fresh.tile.height == serving.tile.height &&
                    fresh.tile.channels == serving.tile.channels &&
                    fresh.preprocess == serving.preprocess;
  if (!same && serving.kind == models::Kind::collage) {
    refuse(file,
           "grid, tile or preprocess: differs from the one being served; another needs a restart");
  }
}

}  // namespace stages
