// The input and the output of a push, as plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "producer/push/latencies.h"
#include "wire/message.h"
#include "wire/payload.h"
#include "wire/types.h"

namespace producer {

// An item of the source: an image, an image that cannot be read or sent, `later` if the source has
// none right now, `end` if it has no more.
struct Item {
  enum class Kind : std::uint8_t { image, unreadable, too_large, later, end } kind = Kind::end;
  std::string file{};
  wire::Payload image{};
  std::string error{};  // Why the file is unreadable.
};

// The outcome of one image, or the correction of its answer.
struct Line {
  enum class Kind : std::uint8_t {
    delivered,
    unreadable,
    interrupted,
    corrected
  } kind = Kind::delivered;
  std::string file{};
  wire::Result result{};     // The result or the correction; its request is 0 if nothing was sent.
  wire::Duration latency{};  // Time since the image was due; zero unless delivered or corrected.
  std::string error{};       // Why the file is unreadable.
  std::string format{};      // The format of an image that is rejected for it, such as "JPEG XL".
};

struct Tally {
  std::uint64_t taken = 0;     // Images from the source.
  std::uint64_t reported = 0;  // Images reported, each once.
  std::uint64_t answered = 0;
  std::uint64_t single = 0, collage = 0, hedge = 0;  // Answered images by source.
  std::uint64_t brownout = 0;  // Answered by a collage because the pipeline was overloaded.
  std::uint64_t missing = 0, rejected = 0, refused = 0, cancelled = 0, superseded = 0;
  std::uint64_t unreadable = 0, interrupted = 0;
  std::uint64_t corrected = 0;  // Answered images whose answer was corrected.
  // Images without an answer by status and reason, such as "missing (no_stage)".
  std::map<std::string, std::uint64_t> causes{};
  Latencies latencies{};  // Of answered images.
};

}  // namespace producer
