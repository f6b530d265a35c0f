// The times that the models of a pipeline take on this machine, for simulations and reports.
#pragma once

#include <string>
#include <vector>

#include "replay/commands/samples.h"
#include "replay/sim/experiment.h"
#include "runtime/pipeline/pipeline.h"

namespace replay {

// Medians over alternating calls with batch size 1 on one thread.
struct ModelCosts {
  double single_s = 0, collage_s = 0;  // One inference of the s-CNN and of the collage-CNN.
  wire::Duration decode{};             // One image is decoded.

  // How many s-CNN inferences one collage inference costs.  Requires single_s > 0.
  double ratio() const { return collage_s / single_s; }
  // The costs of a simulation.  The time of a link is zero: only a live run can measure it.
  sim::Costs simulated() const {
    return {.single = decode + wire::from_seconds(single_s),
            .collage = wire::from_seconds(collage_s),
            .paste = decode,
            .link = {}};
  }
};

// Requires an imaging::Library.  Throws std::runtime_error if a model cannot be loaded, or a
// sample does not decode.
ModelCosts measure_costs(const runtime::Pipeline& pipeline, const std::vector<Sample>& samples);

// Processor and number of cores of this host, for people.
std::string machine_description();

// The name of this host.
std::string host_name();

}  // namespace replay
