// Training state on disk.  Files appear by rename, so a reader never sees half of one.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>
#include <string>

#include "models/nets.h"

namespace models {

struct Checkpoint {
  int epoch = 0;  // Epochs that are done.
  double best_accuracy = -1;
};

// Calls write(temporary path) and renames the result to `file`, making folders as needed.
void write_by_rename(const std::filesystem::path& file,
                     const std::function<void(const std::string&)>& write);

void save_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                     GridNet& net, torch::optim::SGD& optimizer, const Checkpoint& state);

// Throws std::runtime_error naming the file if it is damaged or its fingerprint is another.
Checkpoint load_checkpoint(const std::filesystem::path& file, const std::string& fingerprint,
                           GridNet& net, torch::optim::SGD& optimizer);

}  // namespace models
