// The results and corrections that a client delivers to its owner, as plain values.
#pragma once

#include "wire/message.h"
#include "wire/types.h"

namespace producer {

// Identifies a stream: requests whose results are delivered in the order of submission.  The owner
// of the client chooses it.
using StreamId = wire::Id<struct StreamTag>;

struct Delivered {
  wire::Result result;       // The result; its latency is the broker's, zero if `local`.
  wire::Duration latency{};  // Time from submit to delivery.
  bool local = false;        // True if the client made the result, false if the broker did.
};

// The correction of a collage's answer that was delivered before.
struct Correction {
  wire::Correction correction;
  wire::Duration latency{};  // Time from submit to the correction.
};

}  // namespace producer
