// Does to real processes what a scenario's faults say.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "replay/live/fleet.h"
#include "replay/live/relay.h"
#include "replay/load/strikes.h"

namespace replay::live {

class Saboteur {
 public:
  // By the name of the stage that each stands before.
  using Relays = std::map<std::string, Relay>;

  // Borrows all; `logs` gets the output of hogs.  Requires a relay before each node of a fault
  // load::of_link().
  Saboteur(const std::vector<load::Fault>& faults, Fleet& fleet, Relays& relays,
           const std::filesystem::path& logs);

  const std::vector<load::Strike>& strikes() const { return strikes_; }
  void strike(std::size_t number);
  // Whether a process is gone because a fault wants it gone.
  bool wants_gone(const std::string& process) const { return gone_.contains(process); }
  // Wakes what stands still, so that it can be stopped in order.
  void relent();

 private:
  void set_ills(const std::string& node);
  void begin(const load::Fault& fault, std::size_t number);
  void end(const load::Fault& fault, std::size_t number);

  const std::vector<load::Fault>& faults_;
  Fleet& fleet_;
  Relays& relays_;
  const std::filesystem::path logs_;
  const std::vector<load::Strike> strikes_;
  std::set<std::string> gone_;
  std::set<std::string> stopped_;
  std::map<std::size_t, Process> hogs_;  // By fault.
  std::set<std::size_t> under_way_;      // Faults.
};

}  // namespace replay::live
