// The inferences that were spent on answering the images of a run.
#pragma once

#include <algorithm>
#include <cstdint>

#include "replay/load/load_generator.h"

namespace replay::load {

struct WorkDone {
  std::uint64_t images = 0;              // Images with a result.
  std::uint64_t collage_inferences = 0;  // Inferences of collages, whether used or not.
  std::uint64_t hedges = 0;              // Hedges that were started.
  std::uint64_t duplicates = 0;          // Second copies that were started at once.
  std::uint64_t unused_singles = 0;      // s-CNN answers that settled nothing.
  // Collages whose cells settled nothing; one of which some cells did counts as a part of one.
  double unused_collages = 0;

  // Work beyond one s-CNN inference an image, as a fraction of that work.  `collage_time_ratio` is
  // the time of one collage inference divided by that of one s-CNN inference.
  double extra(double collage_time_ratio) const {
    const double more = static_cast<double>(collage_inferences) * collage_time_ratio +
                        static_cast<double>(hedges + duplicates);
    return more / static_cast<double>(std::max<std::uint64_t>(images, 1));
  }
};

// From the counters of broker and sink.
inline WorkDone work_done(const LoadGenerator& generator) {
  WorkDone work;
  work.images = generator.answered();
  work.collage_inferences = generator.sink_rise("collage_inferences");
  const std::uint64_t answers = generator.sink_rise("answers");
  const std::uint64_t used = generator.sink_rise("settled_single") +
                             generator.sink_rise("settled_hedge") +
                             generator.sink_rise("settled_rejected");
  work.unused_singles = answers - std::min(answers, used);
  // How many images a collage has on average.
  const double fill =
      static_cast<double>(generator.broker_rise("requests_admitted")) /
      static_cast<double>(std::max<std::uint64_t>(generator.broker_rise("batches"), 1));
  const double needed_collages =
      static_cast<double>(generator.sink_rise("settled_collage")) / std::max(fill, 1.0);
  work.unused_collages =
      std::max(0.0, static_cast<double>(work.collage_inferences) - needed_collages);
  work.hedges = generator.broker_rise("hedges");
  const std::uint64_t tasks = generator.broker_rise("tasks_dispatched");
  const std::uint64_t needed =
      work.images + work.hedges + generator.broker_rise("tasks_redispatched");
  work.duplicates = tasks - std::min(tasks, needed);
  return work;
}

}  // namespace replay::load
