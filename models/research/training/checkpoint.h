// Training state on disk.  Files appear by rename, so a reader never sees half of one.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>

#include "models/research/nets/grid_net.h"

namespace models {

struct Checkpoint {
  int epoch = 0;     // Epochs that are finished.
  double best = -1;  // The best validation accuracy so far.
};

void save_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                     GridNet& net, torch::optim::SGD& optimizer, const Checkpoint& state);

// Throws std::runtime_error naming the file if it is damaged or its fingerprint is another.
Checkpoint load_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                           GridNet& net, torch::optim::SGD& optimizer);

}  // namespace models
