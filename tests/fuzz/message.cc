// wire/: decode() returns for any bytes, and what it accepts can be encoded and decoded again.

#include <algorithm>
#include <vector>

#include "tests/fuzz/drawer.h"
#include "tests/fuzz/input.h"
#include "wire/check.h"
#include "wire/codec.h"

namespace {

std::vector<wire::Payload> payloads_of(const wire::Frames& frames) {
  return frames.has_payload ? std::vector{frames.payload} : std::vector<wire::Payload>{};
}

// A message has one encoding, which decodes to the same message.
void round_trip(const wire::Message& message) {
  const wire::Frames frames = wire::encode(message);
  const auto decoded = wire::decode(frames.header, payloads_of(frames));
  COLLAGE_CHECK(decoded.has_value() && decoded->index() == message.index());
  COLLAGE_CHECK(wire::encode(*decoded).header == frames.header);
}

// Decoded input of strangers.
void decode_bytes(fuzz::Input& input) {
  std::vector<wire::Payload> payloads(input.below(3));
  for (wire::Payload& payload : payloads) payload = wire::Payload(wire::Payload::Bytes{1, 2, 3});
  std::uint32_t protocol = wire::kProtocol;
  const auto decoded = wire::decode(input.rest(), payloads, &protocol);
  if (!decoded) {
    COLLAGE_CHECK(!to_string(decoded.error()).empty());
    return;
  }
  COLLAGE_CHECK(protocol >= wire::kProtocolMin && protocol <= wire::kProtocol);
  round_trip(*decoded);
}

// Any message at all, and what an older peer gets of it.
void encode_drawn(fuzz::Input& input) {
  const wire::Message message = fuzz::Drawer(input, 7, 3).any();
  round_trip(message);
  COLLAGE_CHECK(!wire::kind(message).empty());
  const wire::Frames older = wire::encode(message, wire::kProtocolMin);
  const auto decoded = wire::decode(older.header, payloads_of(older));
  if (!decoded) COLLAGE_CHECK(decoded.error() == wire::Reason::wrong_protocol);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  input.flag() ? encode_drawn(input) : decode_bytes(input);
  return 0;
}
