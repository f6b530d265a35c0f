#include "models/nets/script.h"

#include <torch/csrc/jit/frontend/tracer.h>

#include <memory>
#include <stdexcept>

#include "models/atomic_file.h"
#include "models/sha256.h"

namespace models {
namespace {

namespace jit = torch::jit;

// A script module with the same tree of names as the native one; tensors are shared, not copied.
jit::Module mirror(const torch::nn::Module& native,
                   const std::shared_ptr<jit::CompilationUnit>& unit, const std::string& name) {
  jit::Module script(c10::QualifiedName(name), unit);
  script.register_attribute("training", c10::BoolType::get(), false);
  for (const auto& p : native.named_parameters(false)) {
    script.register_parameter(p.key(), p.value(), false);
  }
  for (const auto& b : native.named_buffers(false)) {
    script.register_parameter(b.key(), b.value(), true);
  }
  for (const auto& child : native.named_children()) {
    script.register_module(child.key(), mirror(*child.value(), unit, name + "_" + child.key()));
  }
  return script;
}

// Rounds what makes up nearly all of a network, the weights of its layers, to 16 bits.
void round_weights(torch::nn::Module& net) {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& p : net.parameters()) {
    if (p.dim() > 1) p.copy_(p.to(torch::kHalf).to(torch::kFloat));
  }
}

// Gives every tensor of a script for which `wants` another type.
void convert(jit::Module& script, torch::ScalarType to,
             const std::function<bool(const torch::Tensor&)>& wants) {
  for (torch::Tensor tensor : script.parameters()) {
    if (wants(tensor)) tensor.set_data(tensor.to(to));
  }
  for (torch::Tensor tensor : script.buffers()) {
    if (wants(tensor)) tensor.set_data(tensor.to(to));
  }
}

}  // namespace

void export_script(GridNet& net, const std::filesystem::path& file) {
  const Architecture& a = net->architecture();
  export_script(
      *net, [&](const torch::Tensor& x) { return net->forward(x); },
      torch::zeros({1, a.channels, a.input_height(), a.input_width()}), file);
}

void export_script(torch::nn::Module& net,
                   const std::function<torch::Tensor(const torch::Tensor&)>& forward,
                   const torch::Tensor& example, const std::filesystem::path& file) {
  const torch::NoGradGuard no_grad;
  net.eval();  // Before tracing: what the flag decides is baked into the graph.
  round_weights(net);
  const auto unit = std::make_shared<jit::CompilationUnit>();
  jit::Module script = mirror(net, unit, "__torch__.Net");
  const auto run = [&](jit::Stack inputs) -> jit::Stack {
    return {forward(inputs.at(0).toTensor())};
  };
  const auto no_name = [](const at::Tensor&) { return std::string(); };
  const auto traced = jit::tracer::trace({example}, run, no_name, true, false, &script);
  script.type()->addMethod(unit->create_function(
      c10::QualifiedName(*script.type()->name(), "forward"), traced.first->graph));
  jit::Module stored = script.deepcopy();  // The native one's tensors stay as they are.
  convert(stored, torch::kHalf, [](const torch::Tensor& t) { return t.dim() > 1; });
  write_by_rename(file, [&](const std::string& part) { stored.save(part); });
}

jit::Module load_script(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) {
    throw std::runtime_error(file.string() + ": no such file");
  }
  try {
    jit::Module script = jit::load(file.string(), at::kCPU);
    script.eval();
    convert(script, torch::kFloat,
            [](const torch::Tensor& t) { return t.scalar_type() == torch::kHalf; });
    return script;
  } catch (const c10::Error&) {
    throw std::runtime_error(file.string() + ": is not a TorchScript file");
  }
}

jit::Module load_script(const std::filesystem::path& file, const std::string& sha256) {
  const std::string hash = sha256_of(file);
  if (hash != sha256) {
    throw std::runtime_error(file.string() + ": sha256 is " + hash + ", the manifest says " +
                             sha256);
  }
  return load_script(file);
}

}  // namespace models
