// The metrics of a process as values that its machine returns (Machine::telemetry).
//
// A machine chooses the names and counts; a driver may publish the metrics
// (runtime/service/exposition.h).  Names and units follow Prometheus: seconds, bytes, `_total` for
// counters.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wire/types.h"

namespace machine {

// A histogram of durations.  All processes have the same buckets, so that histograms can be added.
class Histogram {
 public:
  // Upper bounds of the buckets in milliseconds; one more bucket counts longer durations.
  static constexpr std::array<int, 21> kBounds = {1,   2,   5,    10,   20,   35,   50,
                                                  75,  100, 150,  200,  250,  300,  400,
                                                  500, 700, 1000, 1500, 2500, 5000, 10000};

  // Counts a duration.  A duration that equals a bound is counted in the bucket of that bound.
  void observe(wire::Duration duration);

  // One count per bucket; the last one is for durations above all bounds.
  const std::array<std::uint64_t, kBounds.size() + 1>& counts() const { return counts_; }
  std::uint64_t count() const { return count_; }
  wire::Duration sum() const { return sum_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  std::uint64_t count_ = 0;
  wire::Duration sum_{};
};

// The samples of one metric; their labels distinguish them.
struct Metric {
  enum class Kind : std::uint8_t { counter, gauge, histogram };
  using Labels = std::vector<std::pair<std::string, std::string>>;
  struct Sample {
    Labels labels;
    std::variant<double, Histogram> value;
  };

  std::string name;
  std::string help;
  Kind kind = Kind::gauge;
  std::vector<Sample> samples;
};

// The one metric of what a process dropped; its label `reason` says why.
inline constexpr std::string_view kDroppedMetric = "collage_dropped_total";
inline constexpr std::string_view kDroppedHelp =
    "Messages, answers and batches that were dropped or could not be delivered, by reason.";

struct Telemetry {
  std::vector<Metric> metrics;
  // Why the process is not ready, as texts for the operator; empty if it is ready.
  std::vector<std::string> not_ready_reasons;

  using Value = std::pair<std::string_view, std::uint64_t>;  // The value of a label, and a count.

  // Add a metric with one sample without labels.
  void counter(std::string name, std::string help, std::uint64_t value);
  void gauge(std::string name, std::string help, double value);
  void histogram(std::string name, std::string help, const Histogram& value);
  // Adds a counter with one sample for each value of one label.
  void counters(std::string name, std::string help, std::string_view label,
                std::initializer_list<Value> values);
  // Adds the counter of messages that were dropped on arrival or could not be delivered, by reason.
  void dropped(std::initializer_list<Value> reasons);
};

}  // namespace machine
