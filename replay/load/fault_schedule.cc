#include "replay/load/fault_schedule.h"

#include <algorithm>
#include <chrono>

namespace replay::load {
namespace {

// How long a restarted process is away: long enough to end in order, shorter than the three and a
// half heartbeats after which the broker gives a silent worker up.
constexpr wire::Duration kRestartLength = std::chrono::seconds(1);

}  // namespace

std::vector<FaultEvent> fault_schedule(const std::vector<Fault>& faults) {
  std::vector<FaultEvent> schedule;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const Fault& fault = faults[i];
    const wire::Duration length =
        fault.what == Fault::What::restart ? kRestartLength : fault.length;
    schedule.push_back({fault.after, i, true});
    if (length > wire::Duration{}) schedule.push_back({fault.after + length, i, false});
  }
  // Stable, so that the order of the scenario decides between events of one instant.
  std::ranges::stable_sort(schedule, {}, &FaultEvent::at);
  return schedule;
}

bool of_link(const Fault& fault) {
  return fault.what == Fault::What::link || fault.what == Fault::What::garbage;
}

bool possible(const Fault& fault, Mode mode) {
  if (mode == Mode::deployed) return false;
  if (mode == Mode::simulated) return fault.what != Fault::What::hog;
  return !of_link(fault) || (fault.node != "broker" && fault.node != "sink");
}

std::string describe(const Fault& fault, bool begins) {
  static constexpr const char* kNames[] = {"kill",        "stop",        "restart",
                                           "hog next to", "bad link of", "garbage from"};
  const std::string name = kNames[static_cast<std::size_t>(fault.what)];
  return begins ? name + " " + fault.node : fault.node + " is sound again";
}

}  // namespace replay::load
