// What a backup is worth: how good its answers are, and what is served when some s-CNN answers are
// unavailable.
#pragma once

#include <span>

#include "models/research/data/dataset.h"

namespace models {

// Shares, 0..1.
struct Recovery {
  double answered = 0;   // Right answers where the s-CNN (or its code) answers.
  double recovered = 0;  // Right answers where the backup answers; a row of NaNs is wrong.
  double agreement = 0;  // Recovered answers that are those of the s-CNN alone.

  // Of all answers, if a share of them has to be recovered.
  double overall(double unavailable) const {
    return (1 - unavailable) * answered + unavailable * recovered;
  }
};

// Logits of every image of `data`, size() x classes each: what is answered with nothing missing,
// what is recovered for an image that is missing, and the s-CNN's own answer.
Recovery recovery_of(std::span<const float> answered, std::span<const float> recovered,
                     std::span<const float> alone, const Dataset& data);

}  // namespace models
