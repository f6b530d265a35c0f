#include "models/serving/served_script.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <stdexcept>

#include "models/serving/first_line.h"
#include "models/serving/output_tensor.h"

namespace models {
namespace {

using Outputs = std::vector<torch::Tensor>;

struct Answered {
  Outputs outputs;
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
    got.outputs.push_back(scores_of(returned, output).clone());
  }
  return got;
}

double largest(const torch::Tensor& numbers) {
  return numbers.numel() == 0 ? 0 : numbers.abs().max().item<double>();
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

void require_numbers(const Outputs& outputs) {
  for (const torch::Tensor& one : outputs) {
    if (!one.isfinite().all().item<bool>()) {
      throw std::runtime_error(
          "gives scores that are not finite (NaN or infinite) for grey or noise");
    }
  }
}

// Whether the numbers of each row of `classes` sum to 1 and none is negative.
bool like_probabilities(const Outputs& outputs, std::int64_t classes) {
  return std::ranges::all_of(outputs, [&](const torch::Tensor& one) {
    if (one.numel() == 0 || one.numel() % classes != 0) return false;
    const torch::Tensor sums = one.reshape({-1, classes}).sum(-1);
    return one.min().item<double>() >= 0 && largest(sums - 1) < 1e-3;
  });
}

std::vector<std::string> warnings_of(const Outputs& outputs, const Outputs& again,
                                     const OutputForm& output, std::int64_t classes) {
  std::vector<std::string> warnings;
  if (!(difference(outputs, again) <= FormTrial::kDifferenceMax)) {
    warnings.emplace_back(
        "answers the same picture differently each time, as a network exported in training mode "
        "does; call .eval() before exporting");
  }
  const bool probabilities = like_probabilities(outputs, classes);
  if (probabilities && output.scores == Scores::logits) {
    warnings.emplace_back(
        "gives numbers that sum to 1, as after a softmax; if they are probabilities, its manifest "
        "needs output: {scores: probabilities}");
  } else if (!probabilities && output.scores == Scores::probabilities) {
    warnings.emplace_back(
        "gives numbers that do not sum to 1, but its manifest calls them probabilities");
  }
  return warnings;
}

struct Tried {
  FormTrial trial;
  torch::jit::Module module;
};

// Catches every exception, for LibTorch throws several of its own, and a script what it likes.
Tried tried(const torch::jit::Module& script, ScriptForm form, const OutputForm& output,
            std::span<const torch::Tensor> probes, const Outputs& right) {
  Tried one;
  one.trial.form = form;
  try {
    one.module = form_of(script, form);
    // The first call of a rewritten network settles its kernels.
    answers(one.module, output, probes.first(1));
    const Answered got = answers(one.module, output, probes);
    one.trial.difference = difference(right, got.outputs);
    if (one.trial.right()) {
      one.trial.seconds = seconds_of(one.module, output, probes.front(), got.seconds);
    }
  } catch (const std::exception& error) {
    one.trial.error = first_line(error);
  }
  return one;
}

std::string milliseconds(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", 1e3 * seconds);
  return text;
}

std::string outcome(const FormTrial& trial) {
  const std::string word = word_of(trial.form);
  if (!trial.error.empty()) return word + " fails: " + trial.error;
  if (trial.right()) return word + " " + milliseconds(trial.seconds);
  char text[64];
  std::snprintf(text, sizeof text, " is wrong: it differs by %.2g of the largest score",
                trial.difference);
  return word + text;
}

}  // namespace

double difference(const std::vector<torch::Tensor>& right, const std::vector<torch::Tensor>& got) {
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (right[i].sizes() != got[i].sizes()) return std::numeric_limits<double>::infinity();
    const double apart = largest(right[i] - got[i]);
    if (apart == 0) continue;
    const double share = apart / largest(right[i]);
    if (std::isnan(share)) return share;
    worst = std::max(worst, share);
  }
  return worst;
}

const char* word_of(ScriptForm form) {
  constexpr const char* kWords[] = {"plain", "frozen", "fused"};
  return kWords[static_cast<std::size_t>(form)];
}

ServedScript serve_script(const torch::jit::Module& script, const OutputForm& output,
                          std::size_t classes, const std::vector<torch::Tensor>& probes) {
  const c10::InferenceMode inference;
  // Two forms about as fast: the one that is rewritten more, so that hosts do not differ by noise.
  constexpr double kSlowerBy = 1.05;
  std::vector<Tried> all(1);
  all[0].module = script;
  Answered right;
  Answered again;
  try {
    right = answers(all[0].module, output, probes);
    require_numbers(right.outputs);
    again = answers(all[0].module, output, std::span(probes).first(1));
    all[0].trial.seconds = seconds_of(all[0].module, output, probes.front(), again.seconds);
  } catch (const std::exception& error) {
    throw std::runtime_error(first_line(error));
  }
  for (const ScriptForm form : {ScriptForm::frozen, ScriptForm::fused}) {
    all.push_back(tried(script, form, output, probes, right.outputs));
  }

  ServedScript served;
  served.numbers = static_cast<std::size_t>(right.outputs.front().numel());
  served.returned = description(right.outputs.front());
  served.warnings =
      warnings_of(right.outputs, again.outputs, output, static_cast<std::int64_t>(classes));
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
