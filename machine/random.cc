#include "machine/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "wire/check.h"

namespace machine {

// splitmix64: xoshiro256** must not start with a state of zeros, and similar seeds must not give
// similar states.
Rng::Rng(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15u;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    word = z ^ (z >> 31);
  }
}

// xoshiro256**, after the authors' reference implementation.
std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// The upper 53 bits, as many as a double's significand holds.
double Rng::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t Rng::below(std::uint64_t n) {
  COLLAGE_CHECK(n > 0);
  // 2^64 mod n: without rejecting this many values, small results would be more likely.
  const std::uint64_t refuse = (0 - n) % n;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= refuse) return value % n;
  }
}

double Rng::normal() {
  if (std::exchange(has_spare_, false)) return spare_;
  for (;;) {
    const double u = 2 * uniform() - 1;
    const double v = 2 * uniform() - 1;
    const double s = u * u + v * v;
    if (s >= 1 || s == 0) continue;  // Outside of the unit circle, or without a direction.
    const double scale = std::sqrt(-2 * std::log(s) / s);
    spare_ = v * scale;
    has_spare_ = true;
    return u * scale;
  }
}

QuantileTable::QuantileTable(std::vector<Row> rows)
    : rows_(std::make_shared<const std::vector<Row>>(std::move(rows))) {
  COLLAGE_CHECK(valid(*rows_));
}

bool QuantileTable::valid(std::span<const Row> rows) {
  if (rows.size() < 2 || rows.front().quantile != 0 || rows.back().quantile != 1) return false;
  for (const Row& row : rows) {
    if (!std::isfinite(row.quantile) || !std::isfinite(row.value)) return false;
  }
  return std::adjacent_find(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
           return !(a.quantile < b.quantile) || b.value < a.value;  // Equal values are allowed.
         }) == rows.end();
}

double QuantileTable::at(double p) const {
  COLLAGE_CHECK(p >= 0 && p <= 1);
  const auto above = std::lower_bound(rows_->begin() + 1, rows_->end() - 1, p,
                                      [](const Row& row, double x) { return row.quantile < x; });
  const Row& low = *(above - 1);
  const Row& high = *above;
  const double share = (p - low.quantile) / (high.quantile - low.quantile);
  return low.value + share * (high.value - low.value);
}

}  // namespace machine
