// pipeline.yaml as the policies of the sink and the stages.
#pragma once

#include <cstdint>
#include <optional>

#include "models/manifest.h"
#include "runtime/pipeline.h"
#include "stages/membership.h"
#include "stages/sink/sink.h"
#include "stages/task_line.h"

namespace stages {

sink::Sink::Policy read_sink_policy(const runtime::Pipeline& pipeline);
Membership::Policy read_membership(const runtime::Pipeline& pipeline);

// The latencies a stage emulates, if the pipeline does.  Stages with different `index` draw
// independently: collage stages count from kCollageIndex.  Throws ConfigError.
std::optional<Emulation> read_emulation(const runtime::Pipeline& pipeline, std::uint64_t index);
inline constexpr std::uint64_t kCollageIndex = 1'000'000;

// The manifest of the single or the collage model, checked against the pipeline: kind, grid, and
// class names in common.  Throws ConfigError.
models::Manifest read_single(const runtime::Pipeline& pipeline);
models::Manifest read_collage(const runtime::Pipeline& pipeline);

}  // namespace stages
