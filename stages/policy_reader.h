// The sections `classifier`, `collage` and `images` of pipeline.yaml.
#pragma once

#include "runtime/config/document.h"
#include "stages/policy.h"

namespace stages {

// Reads the keys of the three sections of `root` over the defaults of Policy; leaves `membership`.
// Throws ConfigError that names file, line and key.
Policy read_policy(runtime::Section root);

}  // namespace stages
