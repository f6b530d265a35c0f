// Does to real processes what a scenario's faults say.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "replay/live/fleet.h"
#include "replay/load/strikes.h"

namespace replay::live {

class Saboteur {
 public:
  // Borrows all; `logs` gets the output of hogs.  Links and garbage are the simulator's alone: they
  // are named on standard error and left out.
  Saboteur(const std::vector<load::Fault>& faults, Fleet& fleet, const std::filesystem::path& logs);

  const std::vector<load::Strike>& strikes() const { return strikes_; }
  void strike(std::size_t number);
  // Whether a process is gone because a fault wants it gone.
  bool wants_gone(const std::string& process) const { return gone_.contains(process); }
  // Wakes what stands still, so that it can be stopped in order.
  void relent();

 private:
  void begin(const load::Fault& fault, std::size_t number);
  void end(const load::Fault& fault, std::size_t number);

  const std::vector<load::Fault>& faults_;
  Fleet& fleet_;
  const std::filesystem::path logs_;
  const std::vector<load::Strike> strikes_;
  std::set<std::string> gone_;
  std::set<std::string> stopped_;
  std::map<std::size_t, Process> hogs_;  // By fault.
};

}  // namespace replay::live
