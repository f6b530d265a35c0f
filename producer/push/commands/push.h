// collage-push: sends images over ZeroMQ and prints what became of each.
#pragma once

#include "producer/push/push_options.h"

namespace producer {

// Results go to standard output, progress and errors to standard error.  Returns the exit code:
// 0 if every image was answered, 1 if some were not, 2 if it could not start.  Throws
// runtime::ConfigError if the endpoint cannot be opened.
int push(const PushOptions& options);

}  // namespace producer
