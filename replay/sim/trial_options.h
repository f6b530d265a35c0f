// What one seed means: a pipeline, its traffic, and what goes wrong in it.
#pragma once

#include <cstdint>
#include <string>

#include "replay/sim/fleet.h"

namespace replay::sim {

// How often each kind of fault strikes in the hostile phase.
struct Faults {
  LinkFaults links;
  int classifier_crashes = 0, assembler_crashes = 0, collage_crashes = 0;
  int sink_crashes = 0, broker_crashes = 0, producer_crashes = 0;
  int stalls = 0;
  int resets = 0;  // Connections that break and are made again.
  wire::Duration down_max{};
  wire::Duration stall_max{};
};

// What producers ask beyond an answer.
struct Wishes {
  double cancel_share = 0;    // Requests of the hostile phase that are cancelled.
  double stream_share = 0;    // Requests whose results are to come in order.
  std::uint64_t streams = 1;  // In which, a producer.
};

struct TrialOptions {
  std::uint64_t seed = 0;
  std::string policy;
  bool fixed_patience = true;
  FleetPolicy fleet;
  TokenRunner::Policy runner;
  World::Policy world;
  Faults faults;
  std::size_t requests = 0;     // In the hostile phase, of all producers.
  std::size_t burst = 1;        // Images that a producer submits at once.
  double rejectable_share = 0;  // Images that nothing can decode.
  double own_deadline_share = 0;
  Wishes wishes;
  wire::Duration hostile{};  // Length of the hostile phase.

  // When a hostile phase's last trace must be gone.
  wire::Duration recovery() const;
};

// The seed draws everything.
TrialOptions draw_options(std::uint64_t seed);
// The same pipeline, traffic and faults, but nobody cancels, wants an order or corrections, and
// collages misread nothing.
TrialOptions without_wishes(TrialOptions options);

// All of it, for a human who has a failing seed.
std::string describe(const TrialOptions& options);

}  // namespace replay::sim
