// What a run on real processes may not show, whatever its faults.
//
// While the broker is away, the wire is at-least-once (docs/WIRE.md): images are submitted again,
// and a sink sends what it has settled to a broker that knows neither the sink nor its batches.
// All of that is counted and none of it is a fault of the pipeline.  So a run in which the broker
// or a sink was disturbed is held against fewer counters, and every other run against all of them.
//
// Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "producer/counters.h"
#include "replay/load/scenario.h"

namespace replay::live {

// Which processes were killed, stopped or restarted.  Even a stop ends connections, and whoever
// connects anew is unknown until its next hello.
struct Disturbed {
  bool broker = false;
  bool sink = false;  // Any of them.
};

inline Disturbed disturbed_by(const std::vector<load::Fault>& faults) {
  using What = load::Fault::What;
  Disturbed disturbed;
  for (const load::Fault& fault : faults) {
    if (fault.what != What::kill && fault.what != What::stop && fault.what != What::restart)
      continue;
    disturbed.broker = disturbed.broker || fault.node == "broker";
    disturbed.sink = disturbed.sink || fault.node.starts_with("sink");
  }
  return disturbed;
}

// What producers and broker have counted.
struct Counts {
  std::vector<producer::Counters> clients;
  std::uint64_t unended = 0;  // Images without a result.
  // The broker's, of the same names.
  std::uint64_t settled_bad = 0, settled_stale = 0, results_undelivered = 0, bad_messages = 0;
};

// A text for each promise that is broken; empty if all is well.
inline std::vector<std::string> violations(const Counts& counts, Disturbed disturbed) {
  std::vector<std::string> found;
  const auto expect_none = [&](std::uint64_t count, const std::string& what) {
    if (count > 0) found.push_back(std::to_string(count) + " " + what);
  };
  for (const producer::Counters& client : counts.clients) {
    // Each copy of a Submit may have a result.  A broker that stood still also sends those that the
    // client has given itself meanwhile.
    const std::uint64_t expected = client.resubmitted + (disturbed.broker ? client.expired : 0);
    expect_none(client.duplicate_results - std::min(client.duplicate_results, expected),
                "results came twice");
    expect_none(client.unknown_results, "results without a request");
  }
  expect_none(counts.unended, "images without an answer");
  expect_none(counts.settled_bad, "settled_bad");
  if (!disturbed.broker) {
    expect_none(counts.settled_stale, "settled_stale");
    expect_none(counts.results_undelivered, "results_undelivered");
  }
  if (!disturbed.broker && !disturbed.sink) expect_none(counts.bad_messages, "bad_messages");
  return found;
}

}  // namespace replay::live
