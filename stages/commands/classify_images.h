// The work of a classifier: from encoded images to their verdicts.
#pragma once

#include <cstddef>

#include "imaging/decode.h"
#include "machine/machine.h"
#include "models/serving/network.h"

namespace stages {

// Decodes images and classifies them in as few inferences as network.together() allows.  Without
// memory for it the outcomes have no predictions and no reason, and the tasks have failed. Requires
// an imaging::Library and a network of a single.
machine::Outcome classify_images(const models::Network& network, const imaging::Limits& limits,
                                 std::size_t top_k, const machine::Classify& job);

}  // namespace stages
