// A process's figures, as its machine tells them when asked.
//
// Plain values: what they are called and how they are counted is decided where they arise; a
// driver shows them (runtime/service/exposition.h) or leaves them be.  Names and units follow
// Prometheus: seconds, bytes, `_total` for what only rises.
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

// How often a duration fell where; the same places for every process, so that they add up.
class Histogram {
 public:
  // Upper bounds of the buckets, in milliseconds; a last bucket takes what is above all of them.
  static constexpr std::array<int, 21> kBounds = {1,   2,   5,    10,   20,   35,   50,
                                                  75,  100, 150,  200,  250,  300,  400,
                                                  500, 700, 1000, 1500, 2500, 5000, 10000};

  // A duration that equals a bound falls below it.
  void observe(wire::Duration duration);

  // A count a bucket; the last is of those above all bounds.
  const std::array<std::uint64_t, kBounds.size() + 1>& counts() const { return counts_; }
  std::uint64_t count() const { return count_; }
  wire::Duration sum() const { return sum_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  std::uint64_t count_ = 0;
  wire::Duration sum_{};
};

// Figures of one name, each told apart by its labels.
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
    "What came and was dropped, or could not be delivered.";

struct Telemetry {
  std::vector<Metric> metrics;
  // What keeps the process from doing its part, in words; empty: it is ready.
  std::vector<std::string> not_ready_reasons;

  using Value = std::pair<std::string_view, std::uint64_t>;  // Of a label, and its figure.

  // A figure without labels.
  void counter(std::string name, std::string help, std::uint64_t value);
  void gauge(std::string name, std::string help, double value);
  void histogram(std::string name, std::string help, const Histogram& value);
  // One figure for each value of one label.
  void counters(std::string name, std::string help, std::string_view label,
                std::initializer_list<Value> values);
  // What came and was dropped, or could not be delivered: every drop has a reason, and is counted.
  void dropped(std::initializer_list<Value> reasons);
};

}  // namespace machine
