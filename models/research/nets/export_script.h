// Writes native modules as TorchScript files; serving/script.h loads them.
#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <functional>

#include "models/research/nets/grid_net.h"

namespace models {

// Writes `net` as a TorchScript program for inference; the file appears by rename.  Leaves the
// network in evaluation mode, its layers' weights rounded to the 16 bits that the file has of them;
// its output equals the native one's then, at any batch size.
void export_script(GridNet& net, const std::filesystem::path& file);

// The same of any module: `forward` must be its own, and is called once on `example` to see what it
// does.
void export_script(torch::nn::Module& net,
                   const std::function<torch::Tensor(const torch::Tensor&)>& forward,
                   const torch::Tensor& example, const std::filesystem::path& file);

}  // namespace models
