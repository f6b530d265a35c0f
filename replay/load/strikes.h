// The faults of a scenario as points in time.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "replay/load/scenario.h"

namespace replay::load {

struct Strike {
  wire::Duration at{};  // After the first image that counts.
  std::size_t fault = 0;
  bool begins = true;  // Else what began ends.
};

enum class Mode : std::uint8_t {
  live,      // A fleet of our own.
  deployed,  // One that is up already.
  simulated,
};

// A fault of what passes between a stage and the rest.
inline bool of_link(const Fault& fault) {
  return fault.what == Fault::What::link || fault.what == Fault::What::garbage;
}

// Whether a mode can do it: no program burns a core in virtual time, live only stages have links
// that go bad, and to processes that are not ours nothing is done.
inline bool possible(const Fault& fault, Mode mode) {
  if (mode == Mode::deployed) return false;
  if (mode == Mode::simulated) return fault.what != Fault::What::hog;
  return !of_link(fault) || (fault.node != "broker" && fault.node != "sink");
}

// What is restarted is back after so long.
inline constexpr wire::Duration kRestart = std::chrono::seconds(1);

// In order of time.  A fault without a length, but for a restart, never ends.
inline std::vector<Strike> strikes_of(const std::vector<Fault>& faults) {
  std::vector<Strike> strikes;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const Fault& fault = faults[i];
    const wire::Duration length = fault.what == Fault::What::restart ? kRestart : fault.length;
    strikes.push_back({fault.after, i, true});
    if (length > wire::Duration{}) strikes.push_back({fault.after + length, i, false});
  }
  std::ranges::stable_sort(strikes, {}, &Strike::at);
  return strikes;
}

// For people: "kill classifier-3", "classifier-3 is back".
inline std::string told(const Fault& fault, bool begins) {
  static constexpr const char* kWords[] = {"kill",       "stop",        "restart",
                                           "hog beside", "bad link of", "garbage from"};
  const std::string word = kWords[static_cast<std::size_t>(fault.what)];
  return begins ? word + " " + fault.node : fault.node + " is sound again";
}

}  // namespace replay::load
