#include "models/research/baselines/approxifer.h"

#include <algorithm>
#include <span>

#include "machine/random.h"
#include "models/research/baselines/berrut.h"
#include "models/research/data/batch_tensors.h"
#include "models/research/data/tiling.h"
#include "models/serving/input_tensor.h"

namespace models {
namespace {

void put(std::vector<float>& all, std::int64_t image, std::span<const float> row) {
  std::ranges::copy(row, all.begin() + image * static_cast<std::ptrdiff_t>(row.size()));
}

}  // namespace

CodedAnswers coded_answers(const std::function<torch::Tensor(const torch::Tensor&)>& scnn,
                           const Dataset& data, int queries, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const BerrutCode code(queries, 1);
  const auto k = static_cast<std::size_t>(queries);
  const std::size_t classes = data.class_names.size();
  const std::int64_t input[] = {static_cast<std::int64_t>(code.workers()), data.shape.channels,
                                data.shape.height, data.shape.width};
  machine::Rng rng(seed);
  const std::vector<std::int64_t> groups = draw_groups(data.size(), k, rng);
  CodedAnswers answers{std::vector<float>(data.size() * classes),
                       std::vector<float>(data.size() * classes)};
  for (std::size_t begin = 0; begin < groups.size(); begin += k) {
    const auto group = std::span(groups).subspan(begin, k);
    std::vector<float> coded =
        code.encode(values_of(assemble(data.pixels, data.shape, data.normalisation, group, 1)),
                    data.shape.bytes());
    const std::vector<float> answers_to_coded =
        values_of(scnn(torch::from_blob(coded.data(), input)));
    std::vector<bool> arrived(code.workers(), true);
    const std::vector<float> whole = code.decode(answers_to_coded, arrived, classes);
    arrived[rng.below(code.workers())] = false;
    const std::vector<float> straggled = code.decode(answers_to_coded, arrived, classes);
    for (std::size_t j = 0; j < k; ++j) {
      put(answers.whole, group[j], std::span(whole).subspan(j * classes, classes));
      put(answers.straggled, group[j], std::span(straggled).subspan(j * classes, classes));
    }
  }
  return answers;
}

}  // namespace models
