#include "models/research/baselines/recovery.h"

#include <vector>

#include "models/serving/heads/calibration.h"

namespace models {

Recovery recovery_of(std::span<const float> answered, std::span<const float> recovered,
                     std::span<const float> alone, const Dataset& data) {
  const std::size_t classes = data.class_names.size();
  std::vector<int> scnn_classes;  // kUnlabelled where the s-CNN has no answer.
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto best = best_class(alone.subspan(i * classes, classes));
    scnn_classes.push_back(best ? static_cast<int>(*best) : kUnlabelled);
  }
  return {.answered = accuracy(answered, data.labels, classes),
          .recovered = accuracy(recovered, data.labels, classes),
          .agreement = accuracy(recovered, scnn_classes, classes)};
}

}  // namespace models
