// Who takes part in an experiment: the policies of a pipeline, and what one might buy instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace replay::load {

struct Contestant {
  std::string name;
  std::string pipeline_policy;
  bool collages_classify = false;  // The nodes of collage stages serve as s-CNN stages instead.
  int ties = 0;                    // broker::Redundancy::ties.
  bool simulated_only = false;
};

// Each policy of pipeline.yaml by its own name, and, simulated only, `equal`: no redundancy, the
// nodes that collages would have serve as s-CNN stages; `tied`: the same, each image is in the
// lines of two stages and goes to the one that is free first.  nullopt for anything else.
std::optional<Contestant> named_contestant(std::string_view name);
// Their names, for error messages: "none, hedge, ...".
std::string contestant_names();

}  // namespace replay::load
