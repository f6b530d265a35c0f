// The output of collage-push: one JSON object per result, and a line of progress.
//
// Pure.  Durations are in seconds, probabilities are 0..1.  Bytes of a file's name that are not
// UTF-8 are replaced.
#pragma once

#include <cstdint>
#include <string>

#include "producer/push/push_item.h"

namespace producer {

// Returns {"request", "file", "status", ...} without a newline.  The other keys depend on the
// status:
//   answered     class, label, probability, top, source, latency_s, broker_latency_s, model
//                (and brownout: true if the pipeline was overloaded)
//   missing, rejected, refused, superseded   latency_s, reason (if there is one)
//   unreadable   error
//   interrupted  -
//   corrected    as answered; a second line for an image that a collage had answered
std::string json_line(const Line& line);

// Returns the line of progress.  `total` is the number of images, 0 if not known; `elapsed` is the
// time since the start.
std::string progress_line(const Tally& tally, std::uint64_t total, wire::Duration elapsed);

}  // namespace producer
