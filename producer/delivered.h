// What a client hands its owner, as plain values.
#pragma once

#include "wire/message.h"
#include "wire/types.h"

namespace producer {

// Requests whose results are to come in the order of their submission; chosen by the owner.
using StreamId = wire::Id<struct StreamTag>;

struct Delivered {
  wire::Result result;       // Its latency is the broker's; zero if `local`.
  wire::Duration latency{};  // From submit to here.
  bool local = false;        // The client's own word, not the broker's.
};

// Of an answer by a collage that was delivered before.
struct Correction {
  wire::Correction correction;
  wire::Duration latency{};  // From submit to here.
};

}  // namespace producer
