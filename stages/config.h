// pipeline.yaml as the policies of the sink and the stages.
#pragma once

#include <cstdint>
#include <optional>

#include "models/manifest.h"
#include "runtime/pipeline/pipeline.h"
#include "stages/emulation.h"
#include "stages/membership.h"
#include "stages/sink/sink.h"

namespace stages {

sink::Sink::Policy read_sink_policy(const runtime::Pipeline& pipeline);
Membership::Policy read_membership(const runtime::Pipeline& pipeline);

// What the configuration says, read from its file.  Throws ConfigError.
LatencySource latency_source(const runtime::Latency& latency);

// The latencies that the stage "classifier-<index>" or "collage-<index>" emulates, if the pipeline
// does; every stage draws independently.  Throws ConfigError.
std::optional<Emulation> read_emulation(const runtime::Pipeline& pipeline, wire::Role role,
                                        std::uint64_t index);

// The manifest of the single or the collage model, checked against the pipeline: kind, grid, and
// class names in common.  Throws ConfigError.
models::Manifest read_single(const runtime::Pipeline& pipeline);
models::Manifest read_collage(const runtime::Pipeline& pipeline);

// Requires that both were read.  Throws ConfigError, naming the file, if `fresh` could not answer
// in the place of `serving`: it has other classes or another layout.
void want_same_shape(const models::Manifest& serving, const models::Manifest& fresh,
                     const std::filesystem::path& file);

}  // namespace stages
