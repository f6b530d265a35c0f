// Messages as frames, and frames as messages.
//
// A message is one header frame, a MessagePack array [protocol, kind, fields...], followed by
// one payload frame if its kind has one (submit, assign, collage_task).  docs/WIRE.md holds the
// grammar.
//
// decode() trusts nothing: sizes, counts, depth, types, ranges and trailing bytes are checked
// before anything is allocated for them, and what does not fit is a Reason, never an exception.
// Pure and free of state; may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "wire/message.h"

namespace wire {

inline constexpr std::size_t kHeaderBytesMax = 72 * 1024;  // Of the header frame.
inline constexpr std::size_t kPredictionsMax = 16;         // A slot.
inline constexpr std::size_t kHeldMax = 256;               // Tasks a stage may hold.
inline constexpr std::size_t kCountersMax = 256;           // In a status.
inline constexpr std::size_t kNameMax = 256;               // Bytes of a class or counter name.

struct Frames {
  std::vector<std::uint8_t> header;
  bool has_payload = false;
  Payload payload;
};

// Requires a message that may cross the wire (not a local one), within the limits above, with known
// enumerators, probabilities in 0..1 and names in UTF-8.  Durations outside 0..kDurationMax are
// brought to the nearer bound: a remaining time that has just run out is 0.
Frames encode(const Message& message);

// `payloads` are the frames that followed the header, as they came.
// Errors: wrong_protocol (of another version, and no Refuse: that is read whatever its version),
// bad_message.
tl::expected<Message, Reason> decode(std::span<const std::uint8_t> header,
                                     std::span<const Payload> payloads);

}  // namespace wire
