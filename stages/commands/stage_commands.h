// The verbs of collage-stage: which part of a pipeline a process plays.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/pipeline/startup.h"

namespace stages {

struct StageOptions {
  runtime::StartOptions start;
  std::uint64_t index = 0;    // Names the stage in the log and seeds its emulated latencies.
  std::size_t processes = 1;  // Classifiers that share one network; their indices follow `index`.
};

// Where the stage listens for HTTP, if the first of its kind listens at `first`.  A hundred of a
// kind have ports of their own on a host.
inline std::uint16_t port(std::uint16_t first, const StageOptions& options) {
  return static_cast<std::uint16_t>(first + options.index % 100);
}

// Logs that a task fails for lack of memory, which is no fault of its image.
void say_out_of_memory();

// Each returns the exit code and throws what keeps it from starting.
int run_classifier(const StageOptions& options);
// Assembler and collage-CNN in one process where the pipeline joins them by inproc://.
int run_collage(const StageOptions& options);
// One of the two, where it joins them by tcp://.
int run_assembler(const StageOptions& options);
int run_collage_cnn(const StageOptions& options);

}  // namespace stages
