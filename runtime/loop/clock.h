// The only clock of the pipeline.  Only drivers read it; machines are passed the time.
#pragma once

#include "wire/types.h"

namespace runtime {

// Returns the time since this process started.  All threads see the same clock; it never goes back
// and does not follow changes of the date.  May be called on any thread.
wire::Instant now();

}  // namespace runtime
