// Applies the faults of a scenario to the real processes of a fleet.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "replay/live/fleet.h"
#include "replay/live/relay.h"
#include "replay/load/fault_schedule.h"

namespace replay::live {

class FaultInjector {
 public:
  // Relays by the name of the stage whose messages each of them forwards.
  using Relays = std::map<std::string, Relay>;

  // Borrows faults, fleet and relays; `logs` is the folder for the output of hogs.  Requires a
  // relay for each node with a fault for which load::of_link() is true.
  FaultInjector(const std::vector<load::Fault>& faults, Fleet& fleet, Relays& relays,
                const std::filesystem::path& logs);

  const std::vector<load::FaultEvent>& schedule() const { return schedule_; }
  // Begins or ends the fault of schedule()[number].
  void apply(std::size_t number);
  // Whether a process is absent because a fault has ended it and has not started it again.
  bool removed(const std::string& process) const { return removed_.contains(process); }
  // Ends hogs, repairs links and continues stopped processes, so that the fleet can be stopped in
  // order.  Processes that a fault has killed stay absent.
  void resume_all();

 private:
  void set_link_faults(const std::string& node);
  void begin(const load::Fault& fault, std::size_t number);
  void end(const load::Fault& fault, std::size_t number);

  const std::vector<load::Fault>& faults_;
  Fleet& fleet_;
  Relays& relays_;
  const std::filesystem::path logs_;
  const std::vector<load::FaultEvent> schedule_;
  std::set<std::string> removed_;        // Processes that a fault has ended.
  std::set<std::string> stopped_;        // Processes under SIGSTOP.
  std::map<std::size_t, Process> hogs_;  // Busy loops by index of their fault.
  std::set<std::size_t> active_;         // Indices of the faults that have begun and not ended.
};

}  // namespace replay::live
