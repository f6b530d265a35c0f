// What the broker has told the sink of itself and of its workers, for the page.
//
// The broker sends both once a heartbeat.  A list of workers in several messages replaces the one
// before when its last part has come; a list with a part missing is dropped.  Health is the
// broker's judgement alone: this class derives none from silence.
//
// Pure.  At most worker_max workers are kept.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/message.h"
#include "wire/types.h"

namespace stages::sink {

class BrokerView {
 public:
  explicit BrokerView(std::size_t worker_max) : worker_max_(worker_max) {}

  void on_workers(wire::WorkerStates part, wire::Instant now);
  void on_status(const wire::Status& status, wire::Instant now);

  // The latest complete list, in the broker's order.
  const std::vector<wire::WorkerReport>& workers() const { return workers_; }
  // When that list was complete; nullopt before the first.
  std::optional<wire::Instant> listed() const { return listed_; }
  // A figure of the broker's latest status; 0 if there is none of that name.
  std::uint64_t figure(std::string_view name) const;
  const std::map<std::string, std::uint64_t, std::less<>>& figures() const { return figures_; }
  // When the latest status came; nullopt before the first.
  std::optional<wire::Instant> heard() const { return heard_; }

 private:
  const std::size_t worker_max_;
  std::vector<wire::WorkerReport> workers_;
  std::vector<wire::WorkerReport> parts_;  // Of the list that is arriving.
  std::map<std::string, std::uint64_t, std::less<>> figures_;
  std::optional<wire::Instant> listed_, heard_;
};

}  // namespace stages::sink
