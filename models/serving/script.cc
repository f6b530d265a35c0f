#include "models/serving/script.h"

#include <stdexcept>

#include "models/serving/sha256.h"

namespace models {

void convert_tensors(torch::jit::Module& script, torch::ScalarType to,
                     const std::function<bool(const torch::Tensor&)>& selects) {
  for (torch::Tensor tensor : script.parameters()) {
    if (selects(tensor)) tensor.set_data(tensor.to(to));
  }
  for (torch::Tensor tensor : script.buffers()) {
    if (selects(tensor)) tensor.set_data(tensor.to(to));
  }
}

torch::jit::Module load_script(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) {
    throw std::runtime_error(file.string() + ": no such file");
  }
  try {
    torch::jit::Module script = torch::jit::load(file.string(), at::kCPU);
    script.eval();
    // Weights are 16-bit in the file to halve its size; the CPU's fast kernels are 32-bit.
    convert_tensors(script, torch::kFloat,
                    [](const torch::Tensor& t) { return t.scalar_type() == torch::kHalf; });
    return script;
  } catch (const c10::Error&) {
    throw std::runtime_error(file.string() + ": is not a TorchScript file");
  }
}

torch::jit::Module load_script(const std::filesystem::path& file, const std::string& sha256) {
  const std::string hash = sha256_of(file);
  if (hash != sha256) {
    throw std::runtime_error(file.string() + ": sha256 is " + hash + ", the manifest requires " +
                             sha256);
  }
  return load_script(file);
}

}  // namespace models
