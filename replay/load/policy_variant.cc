#include "replay/load/policy_variant.h"

#include <algorithm>

#include "broker/policy.h"

namespace replay::load {
namespace {

// The variants whose names pipeline.yaml does not know.
const std::vector<PolicyVariant>& variants() {
  static const std::vector<PolicyVariant> kVariants = {
      {.name = "equal",
       .pipeline_policy = "none",
       .collages_classify = true,
       .simulated_only = true},
      {.name = "tied",
       .pipeline_policy = "none",
       .collages_classify = true,
       .ties = 2,
       .simulated_only = true},
      {.name = "brownout",
       .pipeline_policy = "collage-hedge",
       .settings = {{"broker.overload", "brownout"}}}};
  return kVariants;
}

}  // namespace

std::optional<PolicyVariant> named_policy_variant(std::string_view name) {
  const auto found = std::ranges::find(variants(), name, &PolicyVariant::name);
  if (found != variants().end()) return *found;
  if (!broker::named_redundancy(name)) return std::nullopt;
  PolicyVariant variant;
  variant.name = variant.pipeline_policy = name;
  return variant;
}

std::string policy_variant_names() {
  std::string all;
  for (const std::string& name : broker::redundancy_names()) all += name + ", ";
  for (const PolicyVariant& each : variants()) all += each.name + ", ";
  return all.substr(0, all.size() - 2);
}

}  // namespace replay::load
