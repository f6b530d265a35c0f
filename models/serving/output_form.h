// What a network's output is: where in the returned value the scores lie, and what they are.
#pragma once

#include <cstdint>
#include <string>

namespace models {

enum class Scores : std::uint8_t {
  logits,         // Before the softmax; logarithms of probabilities are logits too.
  probabilities,  // After it: the network ends with a softmax of its own.
};

struct OutputForm {
  std::string key{};  // Of a dict; empty for a tensor, a tuple or a list, whose first is taken.
  Scores scores = Scores::logits;
  bool operator==(const OutputForm&) const = default;
};

}  // namespace models
