// Reads the section `gateway` of pipeline.yaml.
#pragma once

#include "gateway/policy.h"
#include "runtime/config/document.h"

namespace gateway {

// Throws runtime::ConfigError, which names file, line and key.
Policy read_policy(runtime::Section section);

}  // namespace gateway
