// pipeline.yaml as the broker's policy.
#pragma once

#include "broker/policy.h"
#include "runtime/pipeline/pipeline.h"

namespace broker {

// Reads the class names from the single model's manifest.  Throws ConfigError.
Policy read_policy(const runtime::Pipeline& pipeline);

}  // namespace broker
