// How long a training run still takes, from how it has gone so far.  Pure.
//
//     epoch: [ a pool of tiles is made and its teacher answers ] steps, validation
//
// A pool may serve several epochs, and pools may take turns, whose answers are then in the
// teacher's cache; so pools and steps are counted apart.  Early epochs that show the middle of each
// tile alone are quicker than those that follow, which makes the first estimates of such a run too
// low.
#pragma once

#include <optional>

namespace models {

class TimeLeft {
 public:
  struct Schedule {
    int epochs = 1;
    int tile_epochs = 1;  // Epochs that one pool serves.
    int rotation = 0;     // Pools that take turns, if their answers are kept; 0: every pool is new.
  };

  // Requires epochs and tile_epochs above 0.  `now` in seconds, as everywhere here.
  TimeLeft(const Schedule& schedule, double now) : schedule_(schedule), at_(now) {}

  // Notes that `share` of epoch `epoch` (from 1) is done; both only rise.
  void on_progress(int epoch, double share, double now);
  // Seconds; nullopt until a part of an epoch has been seen.
  std::optional<double> seconds() const;

 private:
  struct Mean {
    double sum = 0;
    double count = 0;
    double value() const { return count > 0 ? sum / count : 0; }
  };
  // Pools whose teacher has to answer until `epoch` has begun.
  int pools(int epoch) const;

  Schedule schedule_;
  double at_;  // When there was progress.
  int epoch_ = 0;
  double share_ = 0;
  Mean steps_;   // Of an epoch.
  Mean pool_;    // Before an epoch with a new pool.
  Mean others_;  // Before any other.
};

}  // namespace models
