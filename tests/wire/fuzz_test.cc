// decode() returns for any bytes, and a message that it accepts can be encoded again.

#include <gtest/gtest.h>

#include <vector>

#include "machine/random.h"
#include "tests/wire/samples.h"
#include "wire/codec.h"

namespace {

using namespace wire;
using Bytes = std::vector<std::uint8_t>;

// Returns true if the bytes were a message.
bool survives(const Bytes& header, const std::vector<Payload>& payloads) {
  const auto decoded = decode(header, payloads);
  if (!decoded) return false;
  const Frames again = encode(*decoded);
  EXPECT_TRUE(decode(again.header, payloads));
  return true;
}

TEST(CodecFuzz, RandomBytesNeverCrash) {
  machine::Rng rng(1);
  for (int i = 0; i < 50'000; ++i) {
    Bytes header(rng.below(64));
    for (std::uint8_t& byte : header) byte = static_cast<std::uint8_t>(rng.next());
    survives(header, {});
  }
}

TEST(CodecFuzz, DamagedMessagesNeverCrash) {
  machine::Rng rng(2);
  int survived = 0;
  for (int i = 0; i < 5'000; ++i) {
    for (const Message& message : wire_test::samples()) {
      Frames frames = encode(message);
      for (std::uint64_t damage = 1 + rng.below(3); damage > 0; --damage) {
        frames.header[rng.below(frames.header.size())] = static_cast<std::uint8_t>(rng.next());
      }
      if (rng.chance(0.1)) frames.header.resize(rng.below(frames.header.size()));
      std::vector<Payload> payloads;
      if (frames.has_payload) payloads.push_back(frames.payload);
      survived += survives(frames.header, payloads);
    }
  }
  EXPECT_GT(survived, 1'000);  // Otherwise only the first check is tested.
}

}  // namespace
