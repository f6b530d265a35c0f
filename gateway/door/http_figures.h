// What the gateway counts of HTTP itself: responses, their times, connections.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "machine/telemetry.h"
#include "wire/types.h"

namespace gateway {

// May be used by any thread.
class HttpFigures {
 public:
  // A request that ended after `duration`; nullopt: without a response, because its client had
  // gone.
  void responded(std::optional<int> status, wire::Duration duration);
  void opened();
  void closed();
  void refused();  // A connection above connections_max.

  void add_to(machine::Telemetry& report) const;

 private:
  mutable std::mutex mutex_;
  std::map<int, std::uint64_t> responses_;  // By status.
  machine::Histogram durations_;
  std::uint64_t gone_ = 0, opened_ = 0, closed_ = 0, refused_ = 0;
};

}  // namespace gateway
