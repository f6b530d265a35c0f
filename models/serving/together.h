// Whether a module answers several inputs at once in less time than one after another.
#pragma once

#include <torch/script.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "models/serving/output_form.h"
#include "models/serving/processor_time.h"

namespace models {

struct Together {
  std::size_t count = 1;  // Inputs in one call.
  double seconds = 0;     // Of the processor for each of them; 0 if nothing was compared.
};

// Calls a module with inputs in float.
using Call = std::function<c10::IValue(const torch::Tensor&)>;

// The number of inputs, 1, 2, 4 .. `most`, of which each takes the least time, if that is less by a
// tenth than that of half as many.  More than one only if the module answers so many, and any
// fewer, as it answers each alone: a trace may have the number of inputs built in.  Probes are
// inputs, one at least; `seconds` is the clock.  The module is called under InferenceMode.  Throws
// what it throws for a single input.
Together quickest_together(const Call& call, const OutputForm& output,
                           const std::vector<torch::Tensor>& probes, std::size_t most,
                           const std::function<double()>& seconds = seconds_used);

// For the line that says how a network is served: ", 4 at once 2.9 ms each"; empty for one.
std::string summary(const Together& together);

}  // namespace models
