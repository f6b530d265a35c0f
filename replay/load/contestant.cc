#include "replay/load/contestant.h"

#include <algorithm>
#include <vector>

#include "broker/policy.h"

namespace replay::load {
namespace {

// In the simulator alone.
const std::vector<Contestant>& others() {
  static const std::vector<Contestant> kOthers = {{.name = "equal",
                                                   .pipeline_policy = "none",
                                                   .collages_classify = true,
                                                   .simulated_only = true},
                                                  {.name = "tied",
                                                   .pipeline_policy = "none",
                                                   .collages_classify = true,
                                                   .ties = 2,
                                                   .simulated_only = true}};
  return kOthers;
}

}  // namespace

std::optional<Contestant> named_contestant(std::string_view name) {
  const auto found = std::ranges::find(others(), name, &Contestant::name);
  if (found != others().end()) return *found;
  if (!broker::named_redundancy(name)) return std::nullopt;
  Contestant contestant;
  contestant.name = contestant.pipeline_policy = name;
  return contestant;
}

std::string contestant_names() {
  std::string all;
  for (const std::string& name : broker::redundancy_names()) all += name + ", ";
  for (const Contestant& one : others()) all += one.name + ", ";
  return all.substr(0, all.size() - 2);
}

}  // namespace replay::load
