// The manifests of the models that a pipeline names, checked against the pipeline.
#pragma once

#include <filesystem>

#include "models/serving/manifest.h"
#include "runtime/pipeline/pipeline.h"

namespace stages {

// Read the manifest of the single or the collage model.  Throw ConfigError if it is of another kind
// or grid, if the collage's class names are not the single's, or if no collage is named.
models::Manifest read_single(const runtime::Pipeline& pipeline);
models::Manifest read_collage(const runtime::Pipeline& pipeline);

// How a stage serves its network, by models.precision and by how many pictures it may take at once.
models::ServingPolicy serving_policy(const runtime::Pipeline& pipeline,
                                     std::size_t together_max = 1);

// For those that do not serve the collage but should know that it fits: the --check of an s-CNN
// stage or a sink, whose hosts must not be told that a pipeline is sound which is not, and a
// replay, which would simulate another.  Throws as read_collage(); a pipeline that makes no
// collages may name none.
void check_collage(const runtime::Pipeline& pipeline);

// Throws ConfigError, naming `file`, if `fresh` could not answer in the place of `serving`: other
// classes or, for a collage, another grid, tile size or preprocessing.  Requires that both were
// read by the functions above.
void require_same_shape(const models::Manifest& serving, const models::Manifest& fresh,
                        const std::filesystem::path& file);

}  // namespace stages
