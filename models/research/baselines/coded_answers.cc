#include "models/research/baselines/coded_answers.h"

#include <algorithm>

#include "machine/random.h"
#include "models/research/data/batch_tensors.h"
#include "models/research/data/tiling.h"
#include "models/serving/heads/calibration.h"
#include "models/serving/input_tensor.h"

namespace models {
namespace {

// Of both curves; the nodes of 8 images are 0.2 to 0.4 apart, and more smooths almost all away.
constexpr double kSmoothness[] = {0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1};

void put(std::vector<float>& all, std::int64_t image, std::span<const float> row) {
  std::ranges::copy(row, all.begin() + image * static_cast<std::ptrdiff_t>(row.size()));
}

// Groups of images, and one coded answer of each group that is to go missing.
struct Groups {
  std::vector<std::int64_t> images;
  std::vector<std::size_t> stragglers;
};

Groups draw(const Dataset& data, std::size_t queries, std::size_t workers, std::uint64_t seed) {
  machine::Rng rng(seed);
  Groups groups{draw_groups(data.size(), queries, rng), {}};
  for (std::size_t begin = 0; begin < groups.images.size(); begin += queries) {
    groups.stragglers.push_back(rng.below(workers));
  }
  return groups;
}

// The s-CNN's answers to the mixtures of each group: [workers(), classes] a group.
std::vector<std::vector<float>> answers_to_mixtures(const Scnn& scnn, const Dataset& data,
                                                    const CurveCode& code, const Groups& groups) {
  const torch::NoGradGuard no_grad;
  const std::int64_t input[] = {static_cast<std::int64_t>(code.workers()), data.shape.channels,
                                data.shape.height, data.shape.width};
  std::vector<std::vector<float>> answers;
  for (std::size_t begin = 0; begin < groups.images.size(); begin += code.queries()) {
    const auto group = std::span(groups.images).subspan(begin, code.queries());
    std::vector<float> coded =
        code.encode(values_of(assemble(data.pixels, data.shape, data.normalisation, group, 1)),
                    data.shape.bytes());
    answers.push_back(values_of(scnn(torch::from_blob(coded.data(), input))));
  }
  return answers;
}

// The answers to the images of all groups: with nothing missing, or without each group's straggler.
std::vector<float> decoded(const std::vector<std::vector<float>>& answers, const Dataset& data,
                           const CurveCode& code, const Groups& groups, bool straggles) {
  const std::size_t classes = data.class_names.size();
  std::vector<float> all(data.size() * classes);
  for (std::size_t g = 0; g < answers.size(); ++g) {
    std::vector<bool> arrived(code.workers(), true);
    if (straggles) arrived[groups.stragglers[g]] = false;
    const std::vector<float> logits = code.decode(answers[g], arrived, classes);
    for (std::size_t j = 0; j < code.queries(); ++j) {
      put(all, groups.images[g * code.queries() + j],
          std::span(logits).subspan(j * classes, classes));
    }
  }
  return all;
}

}  // namespace

CodedAnswers coded_answers(const Scnn& scnn, const Dataset& data, const CurveCode& code,
                           std::uint64_t seed) {
  const Groups groups = draw(data, code.queries(), code.workers(), seed);
  const auto answers = answers_to_mixtures(scnn, data, code, groups);
  return {decoded(answers, data, code, groups, false), decoded(answers, data, code, groups, true)};
}

Smoothness choose_smoothness(const Scnn& scnn, const Dataset& data, int queries, int workers,
                             std::uint64_t seed) {
  const Groups groups =
      draw(data, static_cast<std::size_t>(queries), static_cast<std::size_t>(workers), seed);
  Smoothness best;
  double most = -1;
  for (const double encoder : kSmoothness) {
    const CurveCode coder = spline_code(queries, workers, {encoder, 0});
    const auto answers = answers_to_mixtures(scnn, data, coder, groups);
    for (const double decoder : kSmoothness) {
      const CurveCode code = spline_code(queries, workers, {encoder, decoder});
      const double right = accuracy(decoded(answers, data, code, groups, true), data.labels,
                                    data.class_names.size());
      if (right < most) continue;
      most = right;
      best = {encoder, decoder};
    }
  }
  return best;
}

}  // namespace models
