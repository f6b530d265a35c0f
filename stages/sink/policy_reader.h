// The section `sink` of pipeline.yaml.
#pragma once

#include "runtime/config/document.h"
#include "stages/sink/sink.h"

namespace stages::sink {

// Reads the keys of the section over the defaults of the policies.  What follows from other
// sections (class count, worker_max, membership, collage_first) is left at its default.  Throws
// ConfigError that names file, line and key.
Sink::Policy read_policy(runtime::Section section);

}  // namespace stages::sink
