// Who takes part in an experiment: the policies of a pipeline, and what one might buy instead.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace replay::load {

struct Contestant {
  std::string name;
  std::string policy;                // Of pipeline.yaml.
  std::size_t more_classifiers = 0;  // s-CNN stages beside those of the scenario.
  bool simulated_only = false;
};

// Each policy of pipeline.yaml by its own name, and, simulated only, `equal`: no redundancy, the
// collage's node serves as one more s-CNN.  nullopt for anything else.
std::optional<Contestant> named_contestant(std::string_view name);
// Their names, for error messages: "none, hedge, ...".
std::string contestant_names();

}  // namespace replay::load
