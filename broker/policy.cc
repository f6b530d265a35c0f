#include "broker/policy.h"

#include <algorithm>
#include <utility>

#include "machine/trace.h"

namespace broker {
namespace {

using Hedge = Redundancy::Hedge;

const std::vector<std::pair<std::string, Redundancy>>& table() {
  static const std::vector<std::pair<std::string, Redundancy>> kTable = {
      {"none", {1, 0, Hedge::never}},          {"hedge", {1, 0, Hedge::p95}},
      {"hedge-budget", {1, 0, Hedge::budget}}, {"duplicate", {2, 0, Hedge::never}},
      {"collage", {1, 1, Hedge::never}},       {"collage-hedge", {1, 1, Hedge::late_p95}},
      {"collage-two", {1, 2, Hedge::never}},   {"collage-first", {1, 1, Hedge::never}},
  };
  return kTable;
}

}  // namespace

std::uint32_t weight_of(const Weights& weights, std::string_view key_name, wire::ProducerId id) {
  // A key's owner chooses its producer id, and so could claim the weight of another.
  const auto found =
      weights.find(key_name.empty() ? machine::long_name(id) : std::string(key_name));
  return found == weights.end() ? 1 : found->second;
}

std::optional<Redundancy> named_redundancy(std::string_view name) {
  for (const auto& [known, redundancy] : table()) {
    if (known == name) return redundancy;
  }
  return std::nullopt;
}

const std::vector<std::string>& redundancy_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const auto& row : table()) names.push_back(row.first);
    return names;
  }();
  return kNames;
}

}  // namespace broker
