// The options of one seed: a pipeline, its traffic, and the faults that are injected.
#pragma once

#include <cstdint>
#include <string>

#include "replay/sim/fleet.h"

namespace replay::sim {

// The number of faults of each kind in the hostile phase, and how long they last.
struct Faults {
  LinkFaults links;
  int classifier_crashes = 0, assembler_crashes = 0, collage_crashes = 0;
  int sink_crashes = 0, broker_crashes = 0, producer_crashes = 0;
  int stalls = 0;
  int resets = 0;              // Connections that break and are opened again.
  wire::Duration down_max{};   // Longest time from a crash to the restart.
  wire::Duration stall_max{};  // Longest stall.
  // Only the last sink crashes or stalls, and only its connection to the broker breaks.
  bool one_sink = false;
};

// The features of the client library that producers use beyond plain requests.
struct ClientFeatures {
  double cancel_share = 0;    // Share of requests of the hostile phase that are cancelled.
  double stream_share = 0;    // Share of requests whose results must come in order.
  std::uint64_t streams = 1;  // Streams of each producer.
  double latest_share = 0;    // Share of requests that are frames of a `latest` stream.
  double priority_share = 0;  // Share of requests of a low or a high priority.
};

// More images for a while than the fleet may be able to classify.
struct Surge {
  std::size_t requests = 0;  // 0: there is no surge.
  wire::Duration begins{}, lasts{};
  double flood = 0;  // Share of the requests that the first producer makes.
};

struct TrialOptions {
  std::uint64_t seed = 0;
  std::string policy;
  bool fixed_patience = true;
  FleetPolicy fleet;
  TokenExecutor::Policy executor;
  Network::Policy network;
  Faults faults;
  std::size_t requests = 0;       // Requests of all producers in the hostile phase.
  Surge surge;                    // Comes on top of these.
  std::size_t burst = 1;          // Most images that a producer submits at once.
  double rejectable_share = 0;    // Share of images that nothing can decode.
  double own_deadline_share = 0;  // Share of requests with a deadline of their own.
  ClientFeatures features;
  wire::Duration hostile{};  // Length of the hostile phase.

  // Whether the trial has no fault of any kind.
  bool faultless() const;
  // Time after which no effect of the hostile phase may remain.
  wire::Duration recovery() const;
};

// Draws all options from the seed.
TrialOptions draw_options(std::uint64_t seed);
// The pipeline, traffic and faults of a seed before it had overload: no surge, the defaults of the
// broker, and a fleet and faults that overload has not changed.
TrialOptions draw_without_overload(std::uint64_t seed);
// The same pipeline, traffic and faults without cancels, streams, priorities, corrections and
// misread cells.
TrialOptions without_features(TrialOptions options);

// All options as text, for a person who investigates a failing seed.
std::string describe(const TrialOptions& options);

}  // namespace replay::sim
