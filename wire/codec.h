// Encodes messages to frames and decodes frames to messages.
//
// A message is one header frame, a MessagePack array [protocol, kind, fields...], followed by one
// payload frame if its kind has one (submit, assign, collage_task, picture).  docs/WIRE.md has the
// grammar.
//
// decode() trusts nothing: it checks sizes, counts, depth, types, ranges and trailing bytes before
// it allocates memory for them.  Invalid input gives a Reason, never an exception.  Both functions
// are pure and may be called on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tl/expected.hpp>
#include <vector>

#include "wire/message.h"

namespace wire {

inline constexpr std::size_t kHeaderBytesMax = 72 * 1024;  // Bytes of a header frame.
inline constexpr std::size_t kPredictionsMax = 16;         // Predictions for one slot.
inline constexpr std::size_t kHeldMax = 256;               // Tasks that a stage may hold.
inline constexpr std::size_t kCountersMax = 256;           // Counters in a Status.
inline constexpr std::size_t kWorkersMax = 64;             // Workers in one WorkerStates.
inline constexpr std::size_t kNameMax = 256;               // Bytes of a class or counter name.

struct Frames {
  std::vector<std::uint8_t> header;
  bool has_payload = false;
  Payload payload;
};

// Requires a message that may cross the wire (not a local one), within the limits above, with known
// enumerators, probabilities in 0..1 and names in UTF-8.  Durations are clamped to 0..kDurationMax:
// a remaining time that has just run out becomes 0.
//
// `protocol` is the version that the receiver speaks, kProtocolMin..kProtocol.  For an older one,
// what that version does not know is left out or replaced: `overloaded` by `full`, `superseded` by
// `missing`.  A kind that no producer and no observer gets is always sent in kProtocol.
Frames encode(const Message& message, std::uint32_t protocol = kProtocol);

// `payloads` are the frames after the header.  A message of an older version, kProtocolMin or
// later, is decoded if it is one that a producer or an observer sends; the fields that its version
// does not have keep their defaults.  Errors: wrong_protocol for any other message of another
// version (but a Refuse is decoded whatever its version), bad_message for anything else.
// `protocol`, if not null, gets the version of a message that was decoded, except of a Refuse of
// another version.
tl::expected<Message, Reason> decode(std::span<const std::uint8_t> header,
                                     std::span<const Payload> payloads,
                                     std::uint32_t* protocol = nullptr);

}  // namespace wire
