// What goes into a push and what comes out of it, as plain values.
#pragma once

#include <cstdint>
#include <string>

#include "wire/message.h"
#include "wire/payload.h"
#include "wire/types.h"

namespace producer {

// What the source says: an image, one that cannot be had, none just now, or no more ever.
struct Item {
  enum class Kind : std::uint8_t { image, unreadable, too_large, later, end } kind = Kind::end;
  std::string file{};
  wire::Payload image{};
  std::string error{};  // With `unreadable`.
};

// What became of one image, or that its answer is corrected.
struct Line {
  enum class Kind : std::uint8_t {
    delivered,
    unreadable,
    interrupted,
    corrected
  } kind = Kind::delivered;
  std::string file{};
  wire::Result result{};     // Its request is 0 if it was never submitted.  With `corrected`: anew.
  wire::Duration latency{};  // From when it was due; zero unless delivered.
  std::string error{};       // With `unreadable`.
};

struct Tally {
  std::uint64_t taken = 0;  // From the source.
  std::uint64_t reported = 0;
  std::uint64_t answered = 0;
  std::uint64_t single = 0, collage = 0, hedge = 0;  // Of the answered, by source.
  std::uint64_t missing = 0, rejected = 0, refused = 0, cancelled = 0, unreadable = 0;
  std::uint64_t interrupted = 0;
  std::uint64_t corrected = 0;  // Of the answered.
};

}  // namespace producer
