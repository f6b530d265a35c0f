// The section `broker` of pipeline.yaml.
#pragma once

#include <string_view>

#include "broker/policy.h"
#include "runtime/config/document.h"

namespace broker {

// Reads the keys of the section over the defaults of Policy.  Leaves `grid`, `redundancy` and
// `labels` at their defaults, for they stand elsewhere.  Throws ConfigError that names file, line
// and key.
Policy read_policy(runtime::Section section);

// Returns whether a key of `weights` has the form of a producer's id: 32 hexadecimal digits.
bool is_producer_id(std::string_view name);

}  // namespace broker
