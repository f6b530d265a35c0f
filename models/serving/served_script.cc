#include "models/serving/served_script.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <span>
#include <stdexcept>

#include "models/serving/first_line.h"
#include "models/serving/input_tensor.h"
#include "models/serving/output_tensor.h"

namespace models {
namespace {

struct Answered {
  std::vector<ProbeAnswer> answers;
  std::string returned;  // What came back last, for people.
  // The shortest call: what others did on the processor meanwhile only makes calls longer.
  double seconds = std::numeric_limits<double>::infinity();
};

Answered answers(torch::jit::Module& module, const OutputForm& output,
                 std::span<const torch::Tensor> probes) {
  using Clock = std::chrono::steady_clock;
  Answered got;
  for (const torch::Tensor& probe : probes) {
    const Clock::time_point begin = Clock::now();
    const c10::IValue returned = module.forward({probe});
    got.seconds =
        std::min(got.seconds, std::chrono::duration<double>(Clock::now() - begin).count());
    const torch::Tensor scores = scores_of(returned, output);
    got.returned = description(scores);
    got.answers.push_back(values_of(scores));
  }
  return got;
}

// Of a quick network some more calls, for steady times; a slow one is not kept from its work.
double seconds_of(torch::jit::Module& module, const OutputForm& output, const torch::Tensor& probe,
                  double shortest) {
  constexpr int kCalls = 8;
  constexpr double kLongest = 0.1;
  double spent = 0;
  for (int i = 0; i < kCalls && spent + shortest < kLongest; ++i) {
    const double seconds = answers(module, output, {&probe, 1}).seconds;
    shortest = std::min(shortest, seconds);
    spent += seconds;
  }
  return shortest;
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
    answers(one.module, output, probes.first(1));
    const Answered got = answers(one.module, output, probes);
    one.trial.difference = difference(right, got.answers);
    if (one.trial.right()) {
      one.trial.seconds = seconds_of(one.module, output, probes.front(), got.seconds);
    }
  } catch (const std::exception& error) {
    one.trial.error = first_line(error);
  }
  return one;
}

std::string outcome(const FormTrial& trial) {
  const std::string word = word_of(trial.form);
  if (!trial.error.empty()) return word + " fails: " + trial.error;
  if (trial.right()) return word + " " + milliseconds(trial.seconds);
  return word + wrong_by(trial.difference);
}

}  // namespace

const char* word_of(ScriptForm form) {
  constexpr const char* kWords[] = {"plain", "frozen", "fused"};
  return kWords[static_cast<std::size_t>(form)];
}

ServedScript serve_script(const torch::jit::Module& script, const OutputForm& output,
                          std::size_t classes, const std::vector<torch::Tensor>& probes) {
  const c10::InferenceMode inference;
  std::vector<Tried> all(1);
  all[0].module = script;
  Answered right;
  Answered again;
  try {
    right = answers(all[0].module, output, probes);
    require_finite(right.answers);
    again = answers(all[0].module, output, std::span(probes).first(1));
    all[0].trial.seconds = seconds_of(all[0].module, output, probes.front(), again.seconds);
  } catch (const std::exception& error) {
    throw std::runtime_error(first_line(error));
  }
  for (const ScriptForm form : {ScriptForm::frozen, ScriptForm::fused}) {
    all.push_back(tried(script, form, output, probes, right.answers));
  }

  ServedScript served;
  served.numbers = right.answers.front().size();
  served.returned = right.returned;
  served.sums_to_one = sum_to_one(right.answers, classes);
  served.warnings =
      warnings_of(right.answers.front(), again.answers.front(), output, served.sums_to_one);
  double shortest = all[0].trial.seconds;
  for (const Tried& one : all) {
    if (one.trial.right()) shortest = std::min(shortest, one.trial.seconds);
  }
  for (Tried& one : all) {
    served.trials.push_back(one.trial);
    if (!one.trial.right() || one.trial.seconds > kSlowerBy * shortest) continue;
    served.form = one.trial.form;
    served.module = one.module;
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
