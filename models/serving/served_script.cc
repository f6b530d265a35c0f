#include "models/serving/served_script.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <span>
#include <stdexcept>

#include "models/serving/first_line.h"
#include "models/serving/input_tensor.h"
#include "models/serving/output_tensor.h"
#include "models/serving/processor_time.h"
#include "models/serving/script.h"

namespace models {
namespace {

struct Answered {
  std::vector<ProbeAnswer> answers;
  std::string returned;  // What came back last, for people.
  // The shortest call: what others did on the processor meanwhile only makes calls longer.
  double seconds = std::numeric_limits<double>::infinity();
};

Answered answers(torch::jit::Module& module, ScriptForm form, const OutputForm& output,
                 std::span<const torch::Tensor> probes) {
  Answered got;
  for (const torch::Tensor& probe : probes) {
    const double begin = seconds_used();
    const c10::IValue returned = ServedScript::call(module, form, probe);
    got.seconds = std::min(got.seconds, seconds_used() - begin);
    const torch::Tensor scores = scores_of(returned, output);
    got.returned = description(scores);
    got.answers.push_back(values_of(scores));
  }
  return got;
}

torch::jit::Module form_of(const torch::jit::Module& script, ScriptForm form) {
  torch::jit::Module module = script;
  switch (form) {
    case ScriptForm::plain:
      break;
    case ScriptForm::frozen:
      return torch::jit::freeze(module);
    case ScriptForm::fused:
      // A module that was exported frozen is not frozen again; its graph would be shared.
      if (!module.hasattr("training")) module = script.clone();
      return torch::jit::optimize_for_inference(module);
    case ScriptForm::bfloat16:
      module = script.clone();
      convert_tensors(module, torch::kBFloat16,
                      [](const torch::Tensor& tensor) { return tensor.is_floating_point(); });
      return module.hasattr("training") ? torch::jit::freeze(module) : module;
  }
  return module;
}

struct Tried {
  FormTrial trial;
  torch::jit::Module module;
};

// Catches every exception, for LibTorch throws several of its own, and a script what it likes.
Tried tried(const torch::jit::Module& script, ScriptForm form, const OutputForm& output,
            std::span<const torch::Tensor> probes, std::span<const ProbeAnswer> right) {
  Tried one;
  one.trial.form = form;
  try {
    one.module = form_of(script, form);
    // The first call of a rewritten network settles its kernels.
    answers(one.module, form, output, probes.first(1));
    const Answered got = answers(one.module, form, output, probes);
    one.trial.difference = difference(right, got.answers);
    if (one.trial.right()) one.trial.seconds = got.seconds;
  } catch (const std::exception& error) {
    one.trial.error = first_line(error);
  }
  return one;
}

// Calls the forms of a quick network some more times, by turns: a processor whose speed changes
// changes it for all of them.  A slow network is not kept from its work.
void time_again(std::vector<Tried>& all, const OutputForm& output, const torch::Tensor& probe) {
  constexpr int kRounds = 20;
  constexpr double kLongest = 0.4;
  double spent = 0;
  for (int round = 0; round < kRounds; ++round) {
    double next = 0;
    for (const Tried& one : all) next += one.trial.seconds;
    if (spent + next > kLongest) return;
    for (Tried& one : all) {
      if (!one.trial.right()) continue;
      try {
        const double seconds = answers(one.module, one.trial.form, output, {&probe, 1}).seconds;
        one.trial.seconds = std::min(one.trial.seconds, seconds);
        spent += seconds;
      } catch (const std::exception& error) {
        if (one.trial.form == ScriptForm::plain) throw;
        one.trial.error = first_line(error);
      }
    }
  }
}

std::string outcome(const FormTrial& trial) {
  const std::string word = word_of(trial.form);
  if (!trial.error.empty()) return word + " fails: " + trial.error;
  if (trial.right()) return word + " " + milliseconds(trial.seconds);
  return word + wrong_by(trial.difference);
}

// Whether a form is quick enough, where the fastest in float takes `shortest`.
bool suits(const FormTrial& trial, double shortest, Bfloat16 bfloat16) {
  constexpr double kWorthwhile = 0.9;
  if (trial.form != ScriptForm::bfloat16) return trial.seconds <= kSlowerBy * shortest;
  return bfloat16 == Bfloat16::must || trial.seconds < kWorthwhile * shortest;
}

}  // namespace

const char* word_of(ScriptForm form) {
  constexpr const char* kWords[] = {"plain", "frozen", "fused", "bfloat16"};
  return kWords[static_cast<std::size_t>(form)];
}

c10::IValue ServedScript::call(torch::jit::Module& module, ScriptForm form,
                               const torch::Tensor& input) {
  if (form != ScriptForm::bfloat16) return module.forward({input});
  return module.forward({input.to(torch::kBFloat16, /*non_blocking=*/false, /*copy=*/false,
                                  torch::MemoryFormat::ChannelsLast)});
}

ServedScript serve_script(const torch::jit::Module& script, const OutputForm& output,
                          std::size_t classes, const std::vector<torch::Tensor>& probes,
                          Bfloat16 bfloat16) {
  const c10::InferenceMode inference;
  std::vector<Tried> all(1);
  all[0].module = script;
  Answered right;
  Answered again;
  try {
    right = answers(all[0].module, ScriptForm::plain, output, probes);
    require_finite(right.answers);
    again = answers(all[0].module, ScriptForm::plain, output, std::span(probes).first(1));
    all[0].trial.seconds = again.seconds;
  } catch (const std::exception& error) {
    throw std::runtime_error(first_line(error));
  }
  for (const ScriptForm form : {ScriptForm::frozen, ScriptForm::fused}) {
    all.push_back(tried(script, form, output, probes, right.answers));
  }
  if (bfloat16 != Bfloat16::no) {
    all.push_back(tried(script, ScriptForm::bfloat16, output, probes, right.answers));
    if (bfloat16 == Bfloat16::must && !all.back().trial.right()) {
      throw std::runtime_error("cannot be served in bfloat16: " + outcome(all.back().trial));
    }
  }
  time_again(all, output, probes.front());

  ServedScript served;
  served.numbers = right.answers.front().size();
  served.returned = right.returned;
  served.sums_to_one = sum_to_one(right.answers, classes);
  served.warnings =
      warnings_of(right.answers.front(), again.answers.front(), output, served.sums_to_one);
  double shortest = all[0].trial.seconds;  // Of those in float.
  for (const Tried& one : all) {
    const bool in_float = one.trial.form != ScriptForm::bfloat16;
    if (in_float && one.trial.right()) shortest = std::min(shortest, one.trial.seconds);
  }
  for (Tried& one : all) {
    served.trials.push_back(one.trial);
    if (one.trial.right() && suits(one.trial, shortest, bfloat16)) {
      served.form = one.trial.form;
      served.module = one.module;
    }
  }
  return served;
}

std::string summary(const ServedScript& served) {
  std::string line;
  std::string others;
  for (const FormTrial& trial : served.trials) {
    if (trial.form == served.form) {
      line = outcome(trial);
    } else {
      others += (others.empty() ? "" : ", ") + outcome(trial);
    }
  }
  return line + " (" + others + ")";
}

}  // namespace models
