// A random generator and distributions that give the same numbers on every platform.
//
// The distributions of the standard library differ between implementations; with these, a seed
// gives the same results everywhere.  Rng is xoshiro256** (Blackman and Vigna, 2018), seeded
// through splitmix64.  Whoever needs random numbers gets an Rng as an argument.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace machine {

class Rng {
 public:
  explicit Rng(std::uint64_t seed);

  // Returns 64 random bits.
  std::uint64_t next();
  // Uniform in [0, 1).
  double uniform();
  // Uniform in [0, n).  Requires n > 0.
  std::uint64_t below(std::uint64_t n);
  // True with probability p.
  bool chance(double p) { return uniform() < p; }
  // Mean 0, standard deviation 1 (polar method).
  double normal();
  // A generator whose stream is independent of this one's.
  Rng split() { return Rng(next()); }

 private:
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

// A distribution given by quantiles; values between two quantiles are interpolated linearly.
class QuantileTable {
 public:
  struct Row {
    double quantile;  // 0..1; strictly rising from row to row, the first 0 and the last 1.
    double value;     // Finite; never falls from row to row.
  };
  // Requires valid(rows).
  explicit QuantileTable(std::vector<Row> rows);

  // Returns true if there are at least two rows, and they are as described above.
  static bool valid(std::span<const Row> rows);

  // The value below which a fraction p of draws falls.  Requires 0 <= p <= 1.
  double at(double p) const;
  double draw(Rng& rng) const { return at(rng.uniform()); }

 private:
  std::shared_ptr<const std::vector<Row>> rows_;  // Shared by copies: a simulation has thousands.
};

}  // namespace machine
