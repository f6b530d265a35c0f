// When a replay sends its images.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "machine/random.h"
#include "wire/types.h"

namespace replay::load {

struct Arrivals {
  enum class Kind : std::uint8_t {
    idle_batches,  // The next batch when every stage has finished the one before, as published.
    busy_batches,  // The next batch when the one before is answered; a slow stage stays busy.
    poisson,       // `burst` images at once, at random times, however many images are open.
    recorded,      // One image after each recorded gap, however many images are open.
    steps,         // Images at random times, at one rate after another, however many are open.
  };
  // A time with a mean rate of its own.
  struct Step {
    double per_second = 0;    // Mean rate in images; > 0.
    wire::Duration length{};  // > 0.
  };
  Kind kind = Kind::idle_batches;
  double per_second = 0;  // Mean rate of `poisson` in images.
  std::size_t burst = 1;  // Images that `poisson` sends at once.
  // The gaps of `recorded` in seconds; after the last one the first follows.
  std::shared_ptr<const std::vector<double>> gaps_s{};
  std::vector<Step> steps{};  // Those of `steps`; after the last one the first follows.

  bool open_loop() const {
    return kind == Kind::poisson || kind == Kind::recorded || kind == Kind::steps;
  }
  // The time after which `steps` begin anew; zero for every other kind.
  wire::Duration cycle() const;
  // The mean rate of `poisson` and `steps` in images a second; 0 for every other kind.
  double mean_per_second() const;
};

// The times at which an open loop sends, one after another.
class Schedule {
 public:
  // Requires an open loop.
  Schedule(Arrivals arrivals, std::uint64_t seed);
  // Draws the time between one arrival and the next.
  wire::Duration gap();
  std::size_t burst() const { return arrivals_.burst; }

 private:
  wire::Duration gap_of_steps();

  const Arrivals arrivals_;
  machine::Rng rng_;
  std::size_t at_ = 0;     // Index of the next gap, or of the present step.
  wire::Duration into_{};  // Time since the beginning of the present step.
};

}  // namespace replay::load
