// TorchScript files as modules.  A TorchScript file is a program: load only what you trust, or what
// has a known hash.
#pragma once

#include <torch/script.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace models {

struct LoadedScript {
  torch::jit::Module module;
  std::vector<std::string> remarks;  // What a user should know of it, each a clause.
};

// Reads a TorchScript file in evaluation mode, on the CPU, with parameters and buffers of every
// floating type as 32-bit ones.  Throws std::runtime_error naming the file: missing, or not
// TorchScript, and then what it is instead and how to export it, if that can be seen.
LoadedScript load_script(const std::filesystem::path& file);

// The same for a file that must have this hash, 64 lower-case hexadecimal digits.  Throws before
// anything of the file runs if the hash differs.
LoadedScript load_script(const std::filesystem::path& file, const std::string& sha256);

// Converts every parameter and buffer of `script` for which `selects` is true to the type `to`.
void convert_tensors(torch::jit::Module& script, torch::ScalarType to,
                     const std::function<bool(const torch::Tensor&)>& selects);

}  // namespace models
