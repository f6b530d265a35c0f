#include "models/research/training/single_teacher.h"

#include <ATen/CPUGeneratorImpl.h>

#include <memory>
#include <stdexcept>

#include "models/research/training/bfloat16.h"
#include "models/serving/first_line.h"
#include "models/serving/input_tensor.h"
#include "models/serving/onnx_backend.h"
#include "models/serving/output_tensor.h"
#include "models/serving/probe_answers.h"
#include "models/serving/script.h"

namespace models {
namespace {

// Runs one black tile through the script.
void check_output(torch::jit::Module& script, const Manifest& m) {
  const torch::NoGradGuard no_grad;
  torch::Tensor output;
  try {
    output =
        logits_of(script.forward({torch::zeros({1, m.tile.channels, m.tile.height, m.tile.width})}),
                  m.output_form);
  } catch (const std::exception& error) {  // c10's, or an output that is no tensor.
    throw std::runtime_error(m.weights.string() + ": does not take a " +
                             std::to_string(m.tile.width) + "x" + std::to_string(m.tile.height) +
                             " tile of " + std::to_string(m.tile.channels) +
                             " channels and give a tensor: " + first_line(error));
  }
  if (!output.isfinite().all().item<bool>()) {
    throw std::runtime_error(m.weights.string() +
                             ": gives scores that are not finite (NaN or infinite) for black");
  }
  const auto classes = static_cast<std::int64_t>(m.class_names.size());
  if (output.numel() != classes) {
    throw std::runtime_error(m.weights.string() + ": gives " + std::to_string(output.numel()) +
                             " numbers for a tile, but its manifest names " +
                             std::to_string(classes) + " classes");
  }
}

// The scores that a script gives, [tiles, classes] whatever its own shape: a last convolution of
// 1x1 gives [tiles, classes, 1, 1], and a squeeze() of one tile [classes].
torch::Tensor rows_of(torch::jit::Module& script, const OutputForm& form,
                      const torch::Tensor& tiles) {
  return logits_of(script.forward({tiles}), form).reshape({tiles.size(0), -1});
}

// A tile of noise, values like those of a normalised picture.
torch::Tensor noise(const Manifest& m, std::uint64_t seed) {
  return torch::randn({1, m.tile.channels, m.tile.height, m.tile.width},
                      at::make_generator<at::CPUGeneratorImpl>(seed));
}

double difference_of(const std::vector<torch::Tensor>& right,
                     const std::vector<torch::Tensor>& got) {
  const auto numbers = [](const std::vector<torch::Tensor>& tensors) {
    std::vector<ProbeAnswer> answers;
    for (const torch::Tensor& one : tensors) answers.push_back(values_of(one));
    return answers;
  };
  return difference(numbers(right), numbers(got));
}

// Whether the network answers several tiles at once as it does one by one: a trace may have the
// number of tiles built in.
bool takes_batches(torch::jit::Module& script, const OutputForm& form,
                   const std::vector<torch::Tensor>& tiles,
                   const std::vector<torch::Tensor>& answers) {
  try {
    const torch::Tensor all = rows_of(script, form, torch::cat(tiles));
    return difference_of({torch::cat(answers)}, {all}) <= kDifferenceMax;
  } catch (const std::exception&) {  // c10's, or what the script throws.
    return false;
  }
}

// Whether it answers in bfloat16 about as it does in float: a network may lose its numbers there.
bool bears_bfloat16(torch::jit::Module& script, const OutputForm& form,
                    const std::vector<torch::Tensor>& tiles,
                    const std::vector<torch::Tensor>& answers) {
  constexpr double kLossMax = 0.1;  // bfloat16 has 8 bits, of which deep networks lose some.
  const Bfloat16Scope scope(true);
  try {
    std::vector<torch::Tensor> got;
    for (const torch::Tensor& tile : tiles) {
      got.push_back(rows_of(script, form, tile).to(torch::kFloat));
    }
    return difference_of(answers, got) <= kLossMax;
  } catch (const std::exception&) {
    return false;
  }
}

torch::Tensor one_by_one(torch::jit::Module& script, const OutputForm& form,
                         const torch::Tensor& tiles) {
  std::vector<torch::Tensor> rows;
  for (const torch::Tensor& tile : tiles.split(1)) {
    rows.push_back(rows_of(script, form, tile));
  }
  return torch::cat(rows);
}

std::vector<torch::Tensor> answers_of(torch::jit::Module& script, const OutputForm& form,
                                      const std::vector<torch::Tensor>& tiles) {
  std::vector<torch::Tensor> answers;
  for (const torch::Tensor& tile : tiles) {
    answers.push_back(rows_of(script, form, tile));
  }
  return answers;
}

// The network with its constants folded, unless it then answers otherwise.  Not the faster of the
// two, which may be another each time: one seed must give one student.  Not the fused form, which
// is made for single tiles and for float.
torch::jit::Module frozen_if_right(torch::jit::Module script, const OutputForm& form,
                                   const std::vector<torch::Tensor>& tiles) {
  try {
    torch::jit::Module frozen = torch::jit::freeze(script);
    const std::vector<torch::Tensor> got = answers_of(frozen, form, tiles);
    if (difference_of(answers_of(script, form, tiles), got) <= kDifferenceMax) return frozen;
  } catch (const std::exception&) {  // c10's: what was exported frozen is not frozen again.
  }
  return script;
}

Teacher torch_teacher(const Manifest& manifest, bool try_bfloat16) {
  const torch::NoGradGuard no_grad;
  torch::jit::Module script = load_script(manifest.weights, manifest.sha256).module;
  check_output(script, manifest);
  const std::vector<torch::Tensor> tiles = {noise(manifest, 1), noise(manifest, 2)};
  const OutputForm& form = manifest.output_form;
  script = frozen_if_right(script, form, tiles);
  const std::vector<torch::Tensor> answers = answers_of(script, form, tiles);
  const bool batches = takes_batches(script, form, tiles, answers);
  return {.answer =
              [script, form, batches](const torch::Tensor& some) mutable {
                return batches ? rows_of(script, form, some) : one_by_one(script, form, some);
              },
          .cache = {},
          .bfloat16 = try_bfloat16 && bears_bfloat16(script, form, tiles, answers)};
}

// OpenCV runs a network in float, tile by tile.
Teacher onnx_teacher(const Manifest& manifest) {
  const std::shared_ptr<Backend> backend =
      load_backend(manifest, {values_of(noise(manifest, 1)), values_of(noise(manifest, 2))});
  require_count(manifest, *backend);
  return {.answer =
              [backend](const torch::Tensor& tiles) {
                std::vector<torch::Tensor> rows;
                for (const torch::Tensor& tile : tiles.split(1)) {
                  rows.push_back(torch::tensor(backend->run(values_of(tile))).unsqueeze(0));
                }
                return torch::cat(rows);
              },
          .cache = {},
          .bfloat16 = false};
}

}  // namespace

std::string teacher_identity(const Manifest& manifest) {
  const OutputForm& output = manifest.output_form;
  return manifest.sha256.substr(0, 16) + (output.key.empty() ? "" : "-" + output.key) +
         (output.scores == Scores::logits ? "" : "-probabilities");
}

Teacher single_teacher(const Manifest& manifest, const std::filesystem::path& cache,
                       bool try_bfloat16) {
  if (manifest.kind != Kind::single) {
    throw std::runtime_error(manifest.name + ": is no single-image model, so it cannot teach");
  }
  Teacher teacher =
      is_onnx(manifest.weights) ? onnx_teacher(manifest) : torch_teacher(manifest, try_bfloat16);
  if (!cache.empty()) teacher.cache = cache / teacher_identity(manifest);
  return teacher;
}

}  // namespace models
