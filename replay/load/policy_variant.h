// The policies that an experiment compares: those of a pipeline, and what one might buy instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace replay::load {

struct PolicyVariant {
  std::string name;                // Name in a scenario's list of policies.
  std::string pipeline_policy;     // The value of `policy` in pipeline.yaml.
  bool collages_classify = false;  // The nodes of the collage stages serve as s-CNN stages instead.
  int ties = 0;                    // The value of broker::Redundancy::ties.
  bool simulated_only = false;     // No live pipeline can do it.
  // Keys and values of pipeline.yaml that it replaces after those of the scenario.
  std::vector<std::pair<std::string, std::string>> settings{};
};

// Returns each policy of pipeline.yaml under its own name and two variants that exist in the
// simulator only: `equal` has no redundancy, and the nodes that collages would have serve as s-CNN
// stages; `tied` is `equal` with each image in the queues of two stages, of which the one that is
// free first takes it.  `brownout` is collage-hedge whose broker answers by collages alone what the
// s-CNN stages cannot carry.  nullopt for any other name.
std::optional<PolicyVariant> named_policy_variant(std::string_view name);
// All names for error messages: "none, hedge, ...".
std::string policy_variant_names();

}  // namespace replay::load
