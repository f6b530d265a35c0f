// Networks as TorchScript files: written from native modules, loaded for serving or teaching.
#pragma once

#include <torch/script.h>

#include <filesystem>
#include <functional>
#include <string>

#include "models/nets/grid_net.h"

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

// Reads a TorchScript file in evaluation mode, on the CPU, 16-bit tensors as 32-bit ones.  A script
// is a program: load only what you trust, or what has a known hash.  Throws std::runtime_error
// naming the file.
torch::jit::Module load_script(const std::filesystem::path& file);

// The same of a file that must have this hash, as 64 lower-case hexadecimal digits; nothing of it
// is run if it has not.
torch::jit::Module load_script(const std::filesystem::path& file, const std::string& sha256);

}  // namespace models
