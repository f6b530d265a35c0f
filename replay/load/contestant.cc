#include "replay/load/contestant.h"

#include "broker/policy.h"

namespace replay::load {
namespace {

constexpr const char* kEqual = "equal";

}  // namespace

std::optional<Contestant> named_contestant(std::string_view name) {
  if (name == kEqual) return Contestant{kEqual, "none", true, true};
  if (!broker::named_redundancy(name)) return std::nullopt;
  return Contestant{std::string(name), std::string(name)};
}

std::string contestant_names() {
  std::string all;
  for (const std::string& name : broker::redundancy_names()) all += name + ", ";
  return all + kEqual;
}

}  // namespace replay::load
