// The only clock of the pipeline.
#pragma once

#include "wire/types.h"

namespace runtime {

// The time since this process started, the same for all its threads; never goes back and does
// not follow changes of the date.  May be called on any thread.
wire::Instant now();

}  // namespace runtime
