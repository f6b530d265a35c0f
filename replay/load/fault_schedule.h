// The faults of a scenario as a schedule: at which time each begins and ends.  Pure.
#pragma once

#include <string>
#include <vector>

#include "replay/load/mode.h"
#include "replay/load/scenario.h"

namespace replay::load {

// One fault begins or ends.
struct FaultEvent {
  wire::Duration at{};    // Counted from the first image that counts.
  std::size_t fault = 0;  // Index into the scenario's faults.
  bool begins = true;     // False: the fault ends.
};

// The events of all faults in order of time; events of one instant in the order of the faults.
// A fault without a length never ends, except a restart, which ends after one second.
std::vector<FaultEvent> fault_schedule(const std::vector<Fault>& faults);

// Whether a fault changes the messages between a stage and the rest, not the process itself.
bool of_link(const Fault& fault);

// Whether a mode can apply the fault: a simulation has no processor to burn, in a live run only
// stages have a relay that can spoil their links, and a deployed pipeline is left alone.
bool possible(const Fault& fault, Mode mode);

// For people: "kill classifier-3" when the fault begins, "classifier-3 is sound again" when it
// ends.  Written to the events of a run.
std::string describe(const Fault& fault, bool begins);

}  // namespace replay::load
