#include "models/research/commands/time_left.h"

#include <algorithm>

namespace models {

int TimeLeft::pools(int epoch) const {
  const int all = (epoch + schedule_.tile_epochs - 1) / schedule_.tile_epochs;
  return schedule_.rotation == 0 ? all : std::min(all, schedule_.rotation);
}

void TimeLeft::on_progress(int epoch, double share, double now) {
  const double passed = now - at_;
  if (epoch == epoch_) {
    steps_.sum += passed;
    steps_.count += share - share_;
  } else {
    // Whoever goes on with an interrupted run makes the pool anew.
    Mean& before = epoch_ == 0 || pools(epoch) > pools(epoch - 1) ? pool_ : others_;
    before.sum += passed;
    before.count += 1;
  }
  at_ = now;
  epoch_ = epoch;
  share_ = share;
}

std::optional<double> TimeLeft::seconds() const {
  if (steps_.count <= 0) return std::nullopt;
  const int epochs = schedule_.epochs - epoch_;
  const int pools_left = pools(schedule_.epochs) - pools(epoch_);
  return (epochs + 1 - share_) * steps_.value() + pools_left * pool_.value() +
         (epochs - pools_left) * others_.value();
}

}  // namespace models
