// What collage-push prints: one JSON object a result, and a line of progress.
//
// Pure.  Durations are in seconds, probabilities 0..1.  File names that are no UTF-8 have the
// offending bytes replaced.
#pragma once

#include <cstdint>
#include <string>

#include "producer/push/push_item.h"

namespace producer {

// {"request", "file", "status", ...} without a newline; what does not apply is left out:
//   answered     class, label, probability, top, source, latency_s, broker_latency_s, model
//   missing, rejected, refused   latency_s, reason (if there is one)
//   unreadable   error
//   interrupted  -
//   corrected    as answered; one line more of an image that a collage had answered otherwise
std::string json_line(const Line& line);

// `total` is 0 if it is not known; `elapsed` counts from the first image.
std::string progress_line(const Tally& tally, std::uint64_t total, wire::Duration elapsed);

}  // namespace producer
