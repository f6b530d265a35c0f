// Which form of a TorchScript module is served: as it was exported, frozen, fused or in bfloat16.
//
// LibTorch can rewrite a module so that it runs faster: freeze() folds what does not change into
// constants, optimize_for_inference() also fuses layers and changes their memory formats.  Not
// every rewriting keeps what the module computes: LibTorch 1.13 fuses a convolution with a
// hardswish or hardsigmoid behind it wrongly where its channels do not fill the vectors of the
// processor (of a MobileNetV3 every second answer was another class), so that two hosts may
// disagree.  Hence each form first answers probes; only one that answers them as the module does is
// served.
#pragma once

#include <torch/script.h>

#include <string>
#include <vector>

#include "models/serving/output_form.h"
#include "models/serving/probe_answers.h"

namespace models {

// In bfloat16 a module, frozen, answers only about as it does in float; whether it answers as many
// images right has been measured before (serving_policy.h).
enum class ScriptForm : std::uint8_t { plain, frozen, fused, bfloat16 };

// What a network in bfloat16, of 8 significant bits, may differ by: deep networks lose some.
inline constexpr double kBfloat16DifferenceMax = 0.1;

const char* word_of(ScriptForm form);

// What a form did with the probes.
struct FormTrial {
  ScriptForm form = ScriptForm::plain;
  double difference = 0;  // From the plain module's answers, difference().
  double seconds = 0;     // Of the processor, the shortest of some calls; 0 if not measured.
  std::string error{};    // What LibTorch said if the form cannot be made or does not run.
  bool right() const {
    return error.empty() &&
           difference <= (form == ScriptForm::bfloat16 ? kBfloat16DifferenceMax : kDifferenceMax);
  }
};

// Whether bfloat16 is tried, and whether nothing else will do.
enum class Bfloat16 : std::uint8_t { no, may, must };

struct ServedScript {
  // What the network returns for an input in float.
  c10::IValue forward(const torch::Tensor& input) { return call(module, form, input); }
  static c10::IValue call(torch::jit::Module& module, ScriptForm form, const torch::Tensor& input);

  torch::jit::Module module;  // In evaluation mode; called under InferenceMode.
  ScriptForm form = ScriptForm::plain;
  std::vector<FormTrial> trials;      // One of each form that was tried, plain first.
  std::size_t numbers = 0;            // In an answer to one probe.
  std::string returned;               // What came back: "Float [1, 10]".
  bool sums_to_one = false;           // Each row of numbers, and none is negative.
  std::vector<std::string> warnings;  // What a user should look at, each a clause without a stop.
};

// Chooses the fastest form of `script` that answers `probes` right (of forms within 5 % of the
// fastest the one that is rewritten most; bfloat16 if it is faster by a tenth), and warms it up.
// Probes are inputs of the network in float, one at least; a row of its output has `classes`
// numbers.  Throws std::runtime_error with one line if the plain module does not run, returns no
// tensor (output_tensor.h) or gives numbers that are not finite, or if bfloat16 must do and does
// not.
ServedScript serve_script(const torch::jit::Module& script, const OutputForm& output,
                          std::size_t classes, const std::vector<torch::Tensor>& probes,
                          Bfloat16 bfloat16 = Bfloat16::no);

// One line for a log: "fused 4.1 ms (plain 9.2 ms, frozen 5.0 ms)".
std::string summary(const ServedScript& served);

}  // namespace models
