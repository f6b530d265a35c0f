// The links of a stage to the sinks of its pipeline.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/pipeline/startup.h"

namespace stages {

// Appends one link for each sink, in the order of their indices.
void add_sink_links(const runtime::Pipeline& pipeline, std::uint64_t frame_bytes_max,
                    const std::shared_ptr<runtime::KeyStore>& keys,
                    std::vector<runtime::Link>& links);

}  // namespace stages
