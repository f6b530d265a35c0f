// collage-push: sends images to a pipeline and prints the result of each.
#pragma once

#include "producer/push/push_options.h"

namespace producer {

// Prints results on standard output, progress and errors on standard error.  Returns the exit code:
// 0 if every image was answered, 1 if some were not, 2 if the broker could not be reached.  Throws
// runtime::ConfigError if the endpoint cannot be opened.
int push(const PushOptions& options);

}  // namespace producer
