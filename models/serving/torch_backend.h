// TorchScript, run by LibTorch in the form that served_script.h chooses.
#pragma once

#include <memory>

#include "models/serving/backend.h"

namespace models {

// Loads manifest.weights; to be served by `policy`.  It also sets LibTorch, for
// the whole process, to one thread and no profiling.  Throws std::runtime_error with one line that
// names the file: not of the manifest's hash, not TorchScript, or as serve_script() throws.
std::unique_ptr<Backend> load_torch_backend(const Manifest& manifest, const Probes& probes,
                                            const ServingPolicy& policy);

}  // namespace models
