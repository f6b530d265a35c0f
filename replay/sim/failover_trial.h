// Runs one seed with two pipelines and producers that know both brokers.
//
// The first pipeline's broker stalls and crashes, and the links to it lose, repeat and delay
// messages; the second pipeline is sound.  So every request must be answered, once, by its
// deadline, and the results of a stream must keep their order.
//
// Deterministic: two runs of one seed are the same.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "replay/sim/request_oracle.h"

namespace replay::sim {

struct FailoverReport {
  RequestOracle::Counts counts;
  // Sums over all producers.
  std::uint64_t failovers = 0, moved = 0, resubmitted = 0;
  std::vector<std::string> violations;
};

FailoverReport run_failover_trial(std::uint64_t seed);

}  // namespace replay::sim
