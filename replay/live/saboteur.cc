#include "replay/live/saboteur.h"

#include <signal.h>

#include <cstdio>

namespace replay::live {

using What = load::Fault::What;

Saboteur::Saboteur(const std::vector<load::Fault>& faults, Fleet& fleet,
                   const std::filesystem::path& logs)
    : faults_(faults), fleet_(fleet), logs_(logs), strikes_(load::strikes_of(faults)) {
  for (const load::Fault& fault : faults) {
    if (fault.what != What::link && fault.what != What::garbage) continue;
    std::fprintf(stderr,
                 "a fault of %s is left out: only the simulator has bad links and garbage\n",
                 fault.node.c_str());
  }
}

void Saboteur::strike(std::size_t number) {
  const load::Strike& strike = strikes_[number];
  const load::Fault& fault = faults_[strike.fault];
  strike.begins ? begin(fault, strike.fault) : end(fault, strike.fault);
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
  for (const std::string& name : stopped_) fleet_.process(name).signal(SIGCONT);
  stopped_.clear();
}

}  // namespace replay::live
