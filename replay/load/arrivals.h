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
    poisson,   // `burst` images at once at a mean rate of `per_second` images, whatever comes of
               // them.
    recorded,  // Gaps as recorded.
  };
  Kind kind = Kind::idle_batches;
  double per_second = 0;
  std::size_t burst = 1;
  std::shared_ptr<const std::vector<double>> gaps_s{};  // Of `recorded`; begins anew at its end.

  bool open_loop() const { return kind == Kind::poisson || kind == Kind::recorded; }
};

// The times at which an open loop sends, one after another.
class Schedule {
 public:
  // Requires an open loop.
  Schedule(Arrivals arrivals, std::uint64_t seed);
  // From the arrival before this one.
  wire::Duration gap();
  std::size_t burst() const { return arrivals_.burst; }

 private:
  const Arrivals arrivals_;
  machine::Rng rng_;
  std::size_t at_ = 0;
};

}  // namespace replay::load
