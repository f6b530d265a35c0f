#include "replay/live/fault_injector.h"

#include <signal.h>

namespace replay::live {

using What = load::Fault::What;

FaultInjector::FaultInjector(const std::vector<load::Fault>& faults, Fleet& fleet, Relays& relays,
                             const std::filesystem::path& logs)
    : faults_(faults),
      fleet_(fleet),
      relays_(relays),
      logs_(logs),
      schedule_(load::fault_schedule(faults)) {}

void FaultInjector::apply(std::size_t number) {
  const load::FaultEvent& event = schedule_[number];
  const load::Fault& fault = faults_[event.fault];
  if (event.begins) {
    active_.insert(event.fault);
    begin(fault, event.fault);
  } else {
    active_.erase(event.fault);
    end(fault, event.fault);
  }
  if (load::of_link(fault)) set_link_faults(fault.node);
}

// Faults of one node may overlap, so the link gets the sum of those that are active, not the last
// event alone.
void FaultInjector::set_link_faults(const std::string& node) {
  LinkFaults link_faults;
  for (const std::size_t number : active_) {
    const load::Fault& fault = faults_[number];
    if (fault.node != node) continue;
    if (fault.what == What::garbage) link_faults.garbage = true;
    if (fault.what != What::link) continue;
    link_faults.delay_max = fault.delay;
    link_faults.loss = fault.loss;
  }
  relays_.at(node).set(link_faults);
}

void FaultInjector::begin(const load::Fault& fault, std::size_t number) {
  if (fault.what == What::hog) {
    hogs_.emplace(number, Process({"/bin/sh", "-c", "while :; do :; done"}, logs_ / "hog.log"));
  } else if (fault.what == What::kill || fault.what == What::restart) {
    removed_.insert(fault.node);
    fleet_.process(fault.node).signal(fault.what == What::kill ? SIGKILL : SIGTERM);
  } else if (fault.what == What::stop) {
    stopped_.insert(fault.node);
    fleet_.process(fault.node).signal(SIGSTOP);
  }
}

void FaultInjector::end(const load::Fault& fault, std::size_t number) {
  if (fault.what == What::hog) {
    hogs_.erase(number);
  } else if (fault.what == What::kill || fault.what == What::restart) {
    // A process that has not ended by now is killed: the schedule does not wait.
    (void)fleet_.process(fault.node).wait(wire::Duration{});
    fleet_.restart(fault.node);
    removed_.erase(fault.node);
  } else if (fault.what == What::stop) {
    stopped_.erase(fault.node);
    fleet_.process(fault.node).signal(SIGCONT);
  }
}

void FaultInjector::resume_all() {
  hogs_.clear();
  for (auto& [name, relay] : relays_) relay.set({});
  for (const std::string& name : stopped_) fleet_.process(name).signal(SIGCONT);
  stopped_.clear();
}

}  // namespace replay::live
