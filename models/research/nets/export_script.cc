#include "models/research/nets/export_script.h"

#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/script.h>

#include <memory>
#include <string>

#include "models/research/atomic_file.h"
#include "models/serving/script.h"

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
  convert_tensors(stored, torch::kHalf, [](const torch::Tensor& t) { return t.dim() > 1; });
  write_by_rename(file, [&](const std::string& part) { stored.save(part); });
}

}  // namespace models
