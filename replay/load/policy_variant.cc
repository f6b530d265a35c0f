#include "replay/load/policy_variant.h"

#include <algorithm>
#include <vector>

#include "broker/policy.h"

namespace replay::load {
namespace {

// The variants that only the simulator can run.
const std::vector<PolicyVariant>& simulated_only() {
  static const std::vector<PolicyVariant> kVariants = {{.name = "equal",
                                                        .pipeline_policy = "none",
                                                        .collages_classify = true,
                                                        .simulated_only = true},
                                                       {.name = "tied",
                                                        .pipeline_policy = "none",
                                                        .collages_classify = true,
                                                        .ties = 2,
                                                        .simulated_only = true}};
  return kVariants;
}

}  // namespace

std::optional<PolicyVariant> named_policy_variant(std::string_view name) {
  const auto found = std::ranges::find(simulated_only(), name, &PolicyVariant::name);
  if (found != simulated_only().end()) return *found;
  if (!broker::named_redundancy(name)) return std::nullopt;
  PolicyVariant variant;
  variant.name = variant.pipeline_policy = name;
  return variant;
}

std::string policy_variant_names() {
  std::string all;
  for (const std::string& name : broker::redundancy_names()) all += name + ", ";
  for (const PolicyVariant& each : simulated_only()) all += each.name + ", ";
  return all.substr(0, all.size() - 2);
}

}  // namespace replay::load
