#include "models/rivals/recovery.h"

#include <vector>

#include "models/heads/calibration.h"

namespace models {

Recovery recovery_of(std::span<const float> answered, std::span<const float> recovered,
                     std::span<const float> alone, const Dataset& data) {
  const std::size_t classes = data.class_names.size();
  std::vector<int> said;  // By the s-CNN; nothing where it has no answer.
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto best = best_class(alone.subspan(i * classes, classes));
    said.push_back(best ? static_cast<int>(*best) : kUnlabelled);
  }
  return {.answered = accuracy(answered, data.labels, classes),
          .recovered = accuracy(recovered, data.labels, classes),
          .agreement = accuracy(recovered, said, classes)};
}

}  // namespace models
