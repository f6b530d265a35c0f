#include "models/serving/script.h"

#include <fstream>
#include <map>
#include <new>
#include <stdexcept>

#include "models/serving/first_line.h"
#include "models/serving/sha256.h"

namespace models {
namespace {

constexpr const char* kExport = "export it by torch.jit.trace(model.eval(), example).save(file)";

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What a file is that torch.save() wrote.  Pickle has the names of classes as text.
std::string pickled(const std::string& bytes) {
  if (bytes.find("torch.nn.modules") == std::string::npos) {
    return std::string(
               "has weights without a network (a state_dict); load it into its model and ") +
           kExport;
  }
  return std::string("is a pickled module, which only Python can read; ") + kExport;
}

// What a file that is no TorchScript is, by its first bytes, and what to do; empty if it may be one
// or is unknown.
std::string otherwise(const std::string& bytes) {
  const auto starts = [&](std::string_view with) { return bytes.starts_with(with); };
  if (bytes.empty()) return "is empty";
  if (starts("PK\x03\x04")) {
    // Every TorchScript has a file of that name, and its name stands at the end of the archive.
    if (bytes.find("constants.pkl") != std::string::npos) return {};
    return bytes.find("data.pkl") != std::string::npos
               ? pickled(bytes)
               : "is a ZIP archive, but no TorchScript file or a part of one";
  }
  if (starts("\x80\x02")) return pickled(bytes);
  if (starts("\x89HDF"))
    return "is an HDF5 file, as Keras writes; only TorchScript and ONNX are served";
  if (bytes.size() > 9 && bytes[8] == '{' && bytes[9] == '"') {
    return std::string(
               "is a safetensors file, weights without a network; load it into its model and ") +
           kExport;
  }
  return {};
}

bool is_other_float(const torch::Tensor& t) {
  return t.is_floating_point() && t.scalar_type() != torch::kFloat;
}

// Weights are 16-bit in our files to halve their size; that is no news.
std::vector<std::string> remarks_on_types(const torch::jit::Module& script) {
  std::map<std::string, int> counts;
  const auto count = [&](const torch::Tensor& t) {
    if (is_other_float(t) && t.scalar_type() != torch::kHalf)
      ++counts[c10::toString(t.scalar_type())];
  };
  for (const torch::Tensor& t : script.parameters()) count(t);
  for (const torch::Tensor& t : script.buffers()) count(t);
  std::vector<std::string> remarks;
  for (const auto& [type, tensors] : counts) {
    remarks.push_back(std::to_string(tensors) + " of its tensors are of the type " + type +
                      "; they are served as Float");
  }
  return remarks;
}

}  // namespace

void convert_tensors(torch::jit::Module& script, torch::ScalarType to,
                     const std::function<bool(const torch::Tensor&)>& selects) {
  for (torch::Tensor tensor : script.parameters()) {
    if (selects(tensor)) tensor.set_data(tensor.to(to));
  }
  for (torch::Tensor tensor : script.buffers()) {
    if (selects(tensor)) tensor.set_data(tensor.to(to));
  }
}

LoadedScript load_script(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) {
    throw std::runtime_error(file.string() + ": is a folder, expected a TorchScript file");
  }
  if (!std::filesystem::is_regular_file(file)) {
    throw std::runtime_error(file.string() + ": no such file");
  }
  try {
    torch::jit::Module script = torch::jit::load(file.string(), at::kCPU);
    script.eval();
    std::vector<std::string> remarks = remarks_on_types(script);
    // The CPU's fast kernels are those for 32 bits.
    convert_tensors(script, torch::kFloat, is_other_float);
    return {std::move(script), std::move(remarks)};
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    const std::string what = otherwise(bytes_of(file));
    throw std::runtime_error(
        file.string() + ": " +
        (what.empty() ? "cannot be loaded (damaged, of a newer PyTorch, or with operators that "
                        "LibTorch lacks): " +
                            first_line(error)
                      : what));
  }
}

LoadedScript load_script(const std::filesystem::path& file, const std::string& sha256) {
  require_sha256(file, sha256);
  return load_script(file);
}

}  // namespace models
