// The inferences that were spent on answering the images of a run.
#pragma once

#include <algorithm>
#include <cstdint>

#include "replay/load/load_generator.h"

namespace replay::load {

struct WorkDone {
  std::uint64_t images = 0;              // Images that the broker admitted.
  std::uint64_t collage_inferences = 0;  // Inferences of collages, whether used or not.
  std::uint64_t hedges = 0;              // Hedges that were started.
  std::uint64_t duplicates = 0;          // Second copies that were started at once.
  wire::Duration wasted{};               // Time of stages for answers that settled nothing.

  // Work beyond one s-CNN inference an image admitted, as a fraction of that work.
  // `collage_time_ratio` is the time of one collage inference divided by that of one s-CNN
  // inference.
  double extra(double collage_time_ratio) const {
    const double more = static_cast<double>(collage_inferences) * collage_time_ratio +
                        static_cast<double>(hedges + duplicates);
    return more / static_cast<double>(std::max<std::uint64_t>(images, 1));
  }
};

// From the counters of broker and sinks.
inline WorkDone work_done(const LoadGenerator& generator) {
  WorkDone work;
  // Nothing is spent on an image that is refused.  A broker that has restarted does not know any
  // more what it had admitted.
  work.images =
      std::max<std::uint64_t>(generator.broker_rise("requests_admitted"), generator.with_answer());
  work.collage_inferences = generator.sink_rise("collage_inferences");
  work.wasted = wire::Duration(static_cast<std::int64_t>(generator.sink_rise("wasted_single_ns") +
                                                         generator.sink_rise("wasted_collage_ns")));
  work.hedges = generator.broker_rise("hedges");
  const std::uint64_t tasks = generator.broker_rise("tasks_dispatched");
  const std::uint64_t needed =
      work.images + work.hedges + generator.broker_rise("tasks_redispatched");
  work.duplicates = tasks - std::min(tasks, needed);
  return work;
}

}  // namespace replay::load
