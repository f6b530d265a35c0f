// What was spent to answer some images.
#pragma once

#include <algorithm>
#include <cstdint>

#include "replay/load/driver.h"

namespace replay::load {

struct WorkDone {
  std::uint64_t images = 0;
  std::uint64_t collage_inferences = 0;  // Used or not.
  std::uint64_t hedges = 0;              // Started.
  std::uint64_t duplicates = 0;

  // Beside one s-CNN inference an image, as a share of these; `collage_time_ratio` is the time of
  // a collage inference over that of an s-CNN's.
  double extra(double collage_time_ratio) const {
    const double more = static_cast<double>(collage_inferences) * collage_time_ratio +
                        static_cast<double>(hedges + duplicates);
    return more / static_cast<double>(std::max<std::uint64_t>(images, 1));
  }
};

// From the counters of broker and sink.
inline WorkDone work_done(const Driver& driver) {
  WorkDone work;
  work.images = driver.answered();
  work.collage_inferences = driver.sink_rise("collage_inferences");
  work.hedges = driver.broker_rise("hedges");
  const std::uint64_t tasks = driver.broker_rise("tasks_dispatched");
  const std::uint64_t needed = work.images + work.hedges + driver.broker_rise("tasks_redispatched");
  work.duplicates = tasks - std::min(tasks, needed);
  return work;
}

}  // namespace replay::load
