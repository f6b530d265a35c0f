#include "replay/live/saboteur.h"

#include <signal.h>

namespace replay::live {

using What = load::Fault::What;

Saboteur::Saboteur(const std::vector<load::Fault>& faults, Fleet& fleet, Relays& relays,
                   const std::filesystem::path& logs)
    : faults_(faults),
      fleet_(fleet),
      relays_(relays),
      logs_(logs),
      strikes_(load::strikes_of(faults)) {}

void Saboteur::strike(std::size_t number) {
  const load::Strike& strike = strikes_[number];
  const load::Fault& fault = faults_[strike.fault];
  if (strike.begins) {
    under_way_.insert(strike.fault);
    begin(fault, strike.fault);
  } else {
    under_way_.erase(strike.fault);
    end(fault, strike.fault);
  }
  if (load::of_link(fault)) set_ills(fault.node);
}

// Of all faults of the node that are under way.
void Saboteur::set_ills(const std::string& node) {
  Ills ills;
  for (const std::size_t number : under_way_) {
    const load::Fault& fault = faults_[number];
    if (fault.node != node) continue;
    if (fault.what == What::garbage) ills.garbage = true;
    if (fault.what != What::link) continue;
    ills.delay_max = fault.delay;
    ills.loss = fault.loss;
  }
  relays_.at(node).set(ills);
}

void Saboteur::begin(const load::Fault& fault, std::size_t number) {
  if (fault.what == What::hog) {
    hogs_.emplace(number, Process({"/bin/sh", "-c", "while :; do :; done"}, logs_ / "hog.log"));
  } else if (fault.what == What::kill || fault.what == What::restart) {
    gone_.insert(fault.node);
    fleet_.process(fault.node).signal(fault.what == What::kill ? SIGKILL : SIGTERM);
  } else if (fault.what == What::stop) {
    stopped_.insert(fault.node);
    fleet_.process(fault.node).signal(SIGSTOP);
  }
}

void Saboteur::end(const load::Fault& fault, std::size_t number) {
  if (fault.what == What::hog) {
    hogs_.erase(number);
  } else if (fault.what == What::kill || fault.what == What::restart) {
    (void)fleet_.process(fault.node).wait(wire::Duration{});
    fleet_.restart(fault.node);
    gone_.erase(fault.node);
  } else if (fault.what == What::stop) {
    stopped_.erase(fault.node);
    fleet_.process(fault.node).signal(SIGCONT);
  }
}

void Saboteur::relent() {
  hogs_.clear();
  for (auto& [name, relay] : relays_) relay.set({});
  for (const std::string& name : stopped_) fleet_.process(name).signal(SIGCONT);
  stopped_.clear();
}

}  // namespace replay::live
