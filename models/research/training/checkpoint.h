// Training state on disk.  Files appear by rename, so a reader never sees half of one.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <string>

#include "models/research/nets/grid_net.h"

namespace models {

struct Checkpoint {
  int epoch = 0;             // Epochs that are finished.
  double best = -1;          // The best validation accuracy so far.
  GridNet average{nullptr};  // The average of the weights; empty if the descent has none.
};

void save_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                     GridNet& net, torch::optim::SGD& optimizer, const Checkpoint& state);

// Throws std::runtime_error naming the file if it is damaged or its fingerprint is another.
// Requires `state` to have an average exactly if the saved state had one (the fingerprint depends
// on it); the average is loaded in place.
void load_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                     GridNet& net, torch::optim::SGD& optimizer, Checkpoint& state);

}  // namespace models
