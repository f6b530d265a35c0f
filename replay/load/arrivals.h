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
  };
  Kind kind = Kind::idle_batches;
  double per_second = 0;  // Mean rate of `poisson` in images.
  std::size_t burst = 1;  // Images that `poisson` sends at once.
  // The gaps of `recorded` in seconds; after the last one the first follows.
  std::shared_ptr<const std::vector<double>> gaps_s{};

  bool open_loop() const { return kind == Kind::poisson || kind == Kind::recorded; }
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
  const Arrivals arrivals_;
  machine::Rng rng_;
  std::size_t at_ = 0;
};

}  // namespace replay::load
