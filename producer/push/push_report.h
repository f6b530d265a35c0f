// The output of collage-push: one line per result as JSON or CSV, a line of progress, a summary.
//
// Pure.  Durations are in seconds, probabilities are 0..1.  A file's name may be any bytes.  Those
// that are not UTF-8 are written as \xHH in "file", and then "file_base64" has the exact bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "producer/push/push_item.h"

namespace producer {

// Returns {"request", "file", "status", ...} without a newline.  The other keys depend on the
// status:
//   answered     class, label, probability, top, source, latency_s, broker_latency_s, model
//                (and brownout: true if the pipeline was overloaded)
//   missing, rejected, refused, superseded   latency_s, reason (if there is one), and format if the
//                reason is unsupported_image
//   unreadable   error
//   interrupted  -
//   corrected    as answered; a second line for an image that a collage had answered
std::string json_line(const Line& line);

// The same as comma-separated values (RFC 4180), without the alternatives of `top`.  The header
// names the columns; a value that a line does not have is empty.
std::string csv_header();
std::string csv_line(const Line& line);

// Returns the line of progress, `columns` wide at most.  `total` is the number of images, 0 if not
// known; `elapsed` is the time since the start.
std::string progress_line(const Tally& tally, std::uint64_t total, wire::Duration elapsed,
                          std::size_t columns);

// Returns the summary: the counts by source, percentiles of the latencies of answered images, and
// how many images have no answer, by cause.  Each line ends with a newline.
std::string summary(const Tally& tally, wire::Duration elapsed);

}  // namespace producer
