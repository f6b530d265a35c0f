#include "broker/service_time.h"

#include <algorithm>
#include <cmath>

namespace broker {
namespace {

constexpr double kShare = 1.0 / 64;  // Weight of the newest task.

}  // namespace

void ServiceTime::add(wire::Duration service) {
  const double seconds = wire::to_seconds(service);
  count_ += 1;
  // The first tasks count alike, or the very first would have its say for too long.
  const double share = std::max(kShare, 1.0 / static_cast<double>(count_));
  deviation_s_ += share * (std::abs(seconds - mean_s_) - deviation_s_);
  if (count_ == 1) deviation_s_ = 0;
  mean_s_ += share * (seconds - mean_s_);
}

wire::Duration ServiceTime::mean() const {
  return std::max<wire::Duration>(wire::from_seconds(mean_s_), std::chrono::microseconds(1));
}

}  // namespace broker
