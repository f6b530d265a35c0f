// What the models of a pipeline take on this machine: for the simulator, and for the report.
#pragma once

#include <string>
#include <vector>

#include "models/research/data/dataset.h"
#include "replay/samples_command.h"
#include "replay/sim/experiment.h"
#include "runtime/pipeline/pipeline.h"

namespace replay {

// Medians of calls that take turns, batch 1, one thread.
struct Measured {
  double single_s = 0, collage_s = 0;  // One inference.
  wire::Duration decode{};             // Of one image.

  double ratio() const { return collage_s / single_s; }
  // Without a link, which only a live run tells.
  sim::Costs costs() const;
};

// Requires an imaging::Library.  Throws std::runtime_error if a model cannot be loaded, or a
// sample does not decode.
Measured measure(const runtime::Pipeline& pipeline, const models::Dataset& data,
                 const std::vector<Sample>& samples);

// Processor and cores, for people.
std::string machine();

}  // namespace replay
