#include "producer/push/latencies.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>

#include "machine/quantile.h"
#include "wire/check.h"

namespace producer {

namespace {

using Micros = std::chrono::duration<std::uint64_t, std::micro>;

// Bucket `64 * shift + (us >> shift)`; the shift leaves seven bits, of which the first is set.
std::size_t bucket_of(std::uint64_t us) {
  const int shift = std::max(0, static_cast<int>(std::bit_width(us)) - 7);
  return 64 * static_cast<std::size_t>(shift) + static_cast<std::size_t>(us >> shift);
}

// The largest number of microseconds in a bucket.
std::uint64_t end_of(std::size_t bucket) {
  const std::size_t shift = bucket < 128 ? 0 : bucket / 64 - 1;
  return ((bucket - 64 * shift + 1) << shift) - 1;
}

}  // namespace

void Latencies::observe(wire::Duration latency) {
  latency = std::clamp(latency, wire::Duration{}, wire::kDurationMax);
  const auto us = std::chrono::duration_cast<Micros>(latency).count();
  ++buckets_.at(bucket_of(us));
  ++count_;
  max_ = std::max(max_, latency);
}

wire::Duration Latencies::quantile(double p) const {
  COLLAGE_CHECK(count_ > 0);
  std::uint64_t left = machine::quantile_index(count_, p);
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    if (left < buckets_[bucket]) {
      return std::min(max_, wire::Duration(std::chrono::microseconds(end_of(bucket) + 1)));
    }
    left -= buckets_[bucket];
  }
  return max_;
}

}  // namespace producer
