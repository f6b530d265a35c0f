// The section `broker` of pipeline.yaml.
#pragma once

#include "broker/policy.h"
#include "runtime/config/document.h"

namespace broker {

// Reads the keys of the section over the defaults of Policy.  Leaves `grid`, `redundancy` and
// `labels` at their defaults, for they stand elsewhere.  Throws ConfigError that names file, line
// and key.
Policy read_policy(runtime::Section section);

}  // namespace broker
