// Emulated latencies as pipeline.yaml describes them.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/pipeline/pipeline.h"
#include "stages/emulation.h"
#include "wire/message.h"

namespace stages {

// The distribution that `latency` describes, its file read.  Throws ConfigError.
LatencySource latency_source(const runtime::Latency& latency);

// The emulation of the stage "classifier-<index>" or "collage-<index>"; nullopt if the pipeline has
// none.  Every stage draws independently of the others.  Throws ConfigError.
std::optional<Emulation> read_emulation(const runtime::Pipeline& pipeline, wire::Role role,
                                        std::uint64_t index);

}  // namespace stages
