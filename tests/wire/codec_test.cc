#include "wire/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <msgpack.hpp>
#include <optional>
#include <string>
#include <tuple>

#include "tests/wire/allocation.h"
#include "tests/wire/samples.h"

namespace {

using namespace std::chrono_literals;
using namespace wire;
using Bytes = std::vector<std::uint8_t>;
using wire_test::samples;

const Payload kImage(Payload::Bytes{1, 2, 3});
const std::tuple kBatch(1, 2);
const std::tuple kWorker(1, 2);
const std::tuple<> kNone;
constexpr std::uint64_t kDayNs = 86'400'000'000'000;

std::vector<Payload> payloads(const Frames& frames) {
  return frames.has_payload ? std::vector{frames.payload} : std::vector<Payload>{};
}

// Decodes a header of these elements; returns nullopt on success, else the reason.
template <class... Elements>
std::optional<Reason> fault(std::vector<Payload> bodies, const Elements&... elements) {
  msgpack::sbuffer header;
  msgpack::pack(header, std::tuple<Elements...>(elements...));
  const auto* data = reinterpret_cast<const std::uint8_t*>(header.data());
  const auto decoded = decode({data, header.size()}, bodies);
  return decoded ? std::nullopt : std::optional(decoded.error());
}
template <class... Elements>
bool good(const Elements&... elements) {
  return fault({}, kProtocol, elements...) == std::nullopt;
}
template <class... Elements>
bool bad(const Elements&... elements) {
  return fault({}, kProtocol, elements...) == Reason::bad_message;
}

Reason fault_of(const std::string& header, std::vector<Payload> bodies = {}) {
  const auto decoded = decode(Bytes(header.begin(), header.end()), bodies);
  return decoded ? Reason::none : decoded.error();
}

TEST(Codec, EveryKindSurvivesTheWire) {
  ASSERT_EQ(samples().size(), kWireMessages);
  for (std::size_t i = 0; const Message& message : samples()) {
    SCOPED_TRACE(kind(message));
    ASSERT_EQ(message.index(), i++);
    const Frames frames = encode(message);
    const auto decoded = decode(frames.header, payloads(frames));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->index(), message.index());
    const Frames again = encode(*decoded);
    EXPECT_EQ(again.header, frames.header);
    EXPECT_EQ(again.has_payload, frames.has_payload);
    EXPECT_EQ(again.payload.bytes().data(), frames.payload.bytes().data()) << "copied";
  }
}

TEST(Codec, TheLargestMessagesFit) {
  const Predictions full(kPredictionsMax, {{std::numeric_limits<std::uint64_t>::max()}, 1});
  const std::string version(kVersionMax, 'v');
  const std::string name(kNameMax, 'n');
  const Counter counter{name, std::numeric_limits<std::uint64_t>::max()};
  WorkerReport worker;
  worker.worker = {~0ull, ~0ull};
  worker.model = {~0ull, kGridSideMax, version};
  worker.location = {std::string(kHostMax, 'h'), std::string(kUnitMax, 'u'), ~0u, ~0u};
  worker.since = worker.heard = worker.oldest_task = worker.next_probe = kDurationMax;
  worker.service_median = worker.service_usual = kDurationMax;
  worker.tasks = worker.capacity = ~0u;
  Result result{};
  result.predictions.assign(kPredictionsMax, {name, full[0]});
  const std::vector<Message> largest = {
      CollageAnswer{{}, {}, kDurationMax, 0ns, std::vector(kSlotsMax, full), version},
      Status{std::vector(kCountersMax, counter)},
      Ready{{}, std::vector(kHeldMax, Sequence{std::numeric_limits<std::uint64_t>::max()}), false},
      CollageTask{{}, {}, {}, std::vector(kSlotsMax, true), 0ns, 0ns, kImage},
      BatchSealed{{}, std::vector(kSlotsMax, kDurationMax), true},
      Submit{{}, kDurationMax, kImage, Priority::high, ~0ull},
      WorkerStates{~0u, ~0u, std::vector(kWorkersMax, worker)},
      result};
  for (const Message& message : largest) {
    const Frames frames = encode(message);
    const auto decoded = decode(frames.header, payloads(frames));
    ASSERT_TRUE(decoded) << kind(message);
    EXPECT_EQ(encode(*decoded).header, frames.header);
  }
}

TEST(Codec, AMessageCutShortAnywhereIsRefused) {
  for (const Message& message : samples()) {
    const Frames frames = encode(message);
    for (std::size_t size = 0; size < frames.header.size(); ++size) {
      const auto cut = decode({frames.header.data(), size}, payloads(frames));
      ASSERT_FALSE(cut) << kind(message) << " cut to " << size;
      EXPECT_EQ(cut.error(), Reason::bad_message);
    }
  }
}

TEST(Codec, TrailingBytesAreRefused) {
  for (const Message& message : samples()) {
    Frames frames = encode(message);
    frames.header.push_back(0xc0);
    EXPECT_FALSE(decode(frames.header, payloads(frames))) << kind(message);
  }
}

// Calls `visit` with `object` and each value below it, so that `visit` can change it.
template <class Visit>
void for_each_value(msgpack::object& object, const Visit& visit) {
  visit(object);
  if (object.type != msgpack::type::ARRAY) return;
  for (std::uint32_t i = 0; i < object.via.array.size; ++i) {
    for_each_value(object.via.array.ptr[i], visit);
  }
}

TEST(Codec, AFieldOfAnotherTypeIsRefused) {
  msgpack::zone zone;
  const std::vector<msgpack::object> others = {msgpack::object(),
                                               msgpack::object(true),
                                               msgpack::object(7u),
                                               msgpack::object(-1),
                                               msgpack::object(0.5f),
                                               msgpack::object(0.5),
                                               msgpack::object("x", zone),
                                               msgpack::object(std::vector<char>{'x'}, zone),
                                               msgpack::object(kNone, zone),
                                               msgpack::object(std::map<int, int>{}, zone)};
  int tried = 0;
  for (const Message& message : samples()) {
    const Frames frames = encode(message);
    const auto* data = reinterpret_cast<const char*>(frames.header.data());
    const auto handle = msgpack::unpack(data, frames.header.size());
    msgpack::object root = handle.get();
    for_each_value(root, [&](msgpack::object& value) {
      const msgpack::object kept = value;
      for (const msgpack::object& other : others) {
        const auto is_real = [](const msgpack::object& each) {
          return each.type == msgpack::type::FLOAT32 || each.type == msgpack::type::FLOAT64;
        };
        if (other.type == kept.type || (is_real(other) && is_real(kept))) continue;
        value = other;
        msgpack::sbuffer header;
        msgpack::pack(header, root);
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(header.data());
        const auto decoded = decode({bytes, header.size()}, payloads(frames));
        EXPECT_FALSE(decoded) << kind(message) << ": " << root;
        ++tried;
      }
      value = kept;
    });
  }
  EXPECT_GT(tried, 1000);
}

TEST(Codec, AFieldTooManyOrTooFewIsRefused) {
  for (const Message& message : samples()) {
    Frames frames = encode(message);
    frames.header[0] += 1;
    frames.header.push_back(0x00);
    EXPECT_FALSE(decode(frames.header, payloads(frames))) << kind(message);
  }
  EXPECT_TRUE(good(10, kBatch));
  EXPECT_TRUE(bad(10));
  EXPECT_TRUE(bad(10, std::tuple(1)));
  EXPECT_TRUE(bad(10, std::tuple(1, 2, 3)));
  EXPECT_TRUE(bad());
}

TEST(Codec, UnknownKindsAreRefused) {
  EXPECT_TRUE(good(19));
  for (const std::uint64_t number : {0ull, 25ull, 26ull, 255ull, 1ull << 32, ~0ull}) {
    EXPECT_TRUE(bad(number)) << number;
    EXPECT_TRUE(bad(number, 1)) << number;
  }
}

TEST(Codec, PayloadsComeExactlyWhereTheyBelong) {
  for (const Message& message : samples()) {
    const Frames frames = encode(message);
    std::vector<Payload> other = payloads(frames);
    if (frames.has_payload) {
      EXPECT_FALSE(decode(frames.header, {})) << kind(message);
    }
    other.push_back(kImage);
    EXPECT_FALSE(decode(frames.header, other)) << kind(message);
  }
}

TEST(Codec, AnEmptyPayloadIsAPayload) {
  const Frames frames = encode(Submit{});
  EXPECT_TRUE(frames.has_payload);
  EXPECT_TRUE(decode(frames.header, std::vector{Payload()}));
}

TEST(Codec, ValuesOutOfRangeAreRefused) {
  EXPECT_TRUE(good(9, kBatch, 25));
  EXPECT_TRUE(bad(9, kBatch, 26));
  EXPECT_TRUE(bad(9, kBatch, 256));
  EXPECT_TRUE(good(18, kDayNs, 0, 0, 0));
  EXPECT_TRUE(bad(18, kDayNs + 1, 0, 0, 0));
  EXPECT_TRUE(bad(18, ~0ull, 0, 0, 0));
  EXPECT_TRUE(good(3, 0, 0, 0xffffffffull, 0, 0, 0));
  EXPECT_TRUE(bad(3, 0, 0, 0x100000000ull, 0, 0, 0));
  EXPECT_TRUE(good(4, 32, 1));
  EXPECT_TRUE(bad(4, 7, 1));  // No reason has this number.
  EXPECT_TRUE(bad(4, 256 + 32, 1));

  const auto hello = [](std::uint64_t role, int grid, std::size_t version, std::size_t host = 0,
                        std::size_t unit = 0) {
    const std::tuple model(1, grid, std::string(version, 'v'));
    const std::tuple location(std::string(host, 'h'), std::string(unit, 'u'), 0, 0);
    return fault({}, kProtocol, 2, kWorker, role, model, 1, location, 0);
  };
  EXPECT_EQ(hello(1, 5, 1, kHostMax, kUnitMax), std::nullopt);
  EXPECT_EQ(hello(1, 5, 1, kHostMax + 1), Reason::bad_message);
  EXPECT_EQ(hello(1, 5, 1, 0, kUnitMax + 1), Reason::bad_message);
  EXPECT_EQ(hello(4, 5, kVersionMax), std::nullopt);
  EXPECT_EQ(hello(0, 5, 1), Reason::bad_message);
  EXPECT_EQ(hello(5, 5, 1), Reason::bad_message);
  EXPECT_EQ(hello(256 + 1, 5, 1), Reason::bad_message);
  EXPECT_EQ(hello(1, 6, 1), Reason::bad_message);

  EXPECT_TRUE(good(27, 0, 15, kBatch));
  EXPECT_TRUE(bad(27, 16, 0, kBatch));
  EXPECT_TRUE(bad(27, 0, 16, kBatch));
  EXPECT_EQ(hello(1, 5, kVersionMax + 1), Reason::bad_message);

  const auto settled = [](int slot, int source) {
    return fault({}, kProtocol, 17, kBatch, slot, source, std::tuple(kNone, 0), std::string());
  };
  EXPECT_EQ(settled(24, 3), std::nullopt);
  EXPECT_EQ(settled(25, 3), Reason::bad_message);
  EXPECT_EQ(settled(24, 4), Reason::bad_message);

  const auto result = [](int status, const std::string& name) {
    const std::vector predictions{std::tuple(name, std::tuple(1, 0.5f))};
    return fault({}, kProtocol, 6, 1, status, 0, 0, 0, 0, predictions, std::string(), false);
  };
  EXPECT_EQ(result(3, std::string(kNameMax, 'n')), std::nullopt);
  EXPECT_EQ(result(5, "n"), std::nullopt);
  EXPECT_EQ(result(6, "n"), Reason::bad_message);
  EXPECT_EQ(result(3, std::string(kNameMax + 1, 'n')), Reason::bad_message);
  EXPECT_EQ(result(3, "\xff"), Reason::bad_message) << "not UTF-8";

  const auto submit = [](std::uint64_t priority, std::uint64_t latest) {
    return fault({kImage}, kProtocol, 5, 1, 0, priority, latest);
  };
  EXPECT_EQ(submit(0, 0), std::nullopt);
  EXPECT_EQ(submit(2, ~0ull), std::nullopt);
  EXPECT_EQ(submit(3, 0), Reason::bad_message);
  EXPECT_EQ(submit(256 + 1, 0), Reason::bad_message);
}

TEST(Codec, ListsBeyondTheirBoundAreRefused) {
  const auto held = [](std::size_t n) { return good(7, 1, std::vector<int>(n), false); };
  EXPECT_TRUE(held(kHeldMax));
  EXPECT_FALSE(held(kHeldMax + 1));
  const auto ages = [](std::size_t n) { return good(15, kBatch, std::vector<int>(n), false); };
  EXPECT_TRUE(ages(kSlotsMax));
  EXPECT_FALSE(ages(kSlotsMax + 1));
  const auto counters = [](std::size_t n) {
    return good(20, std::vector(n, std::tuple(std::string("n"), 1)));
  };
  EXPECT_TRUE(counters(kCountersMax));
  EXPECT_FALSE(counters(kCountersMax + 1));
  const auto cells = [](std::size_t n, std::size_t k) {
    const std::vector predictions(k, std::tuple(1, 0.5f));
    return good(13, kBatch, kWorker, 0, 0, std::vector(n, predictions), std::string(), 0);
  };
  EXPECT_TRUE(cells(kSlotsMax, kPredictionsMax));
  EXPECT_FALSE(cells(kSlotsMax + 1, 1));
  EXPECT_FALSE(cells(1, kPredictionsMax + 1));
}

TEST(Codec, ABlankMaskHasNoBitsBeyondItsSlots) {
  const auto task = [](int slots, std::uint64_t mask) {
    return fault({kImage}, kProtocol, 11, 1, 1, kBatch, std::tuple(slots, mask), 0, 0, 0);
  };
  EXPECT_EQ(task(9, 0x1ff), std::nullopt);
  EXPECT_EQ(task(9, 0x200), Reason::bad_message);
  EXPECT_EQ(task(25, (1 << 25) - 1), std::nullopt);
  EXPECT_EQ(task(26, 0), Reason::bad_message);
}

TEST(Codec, ProbabilitiesAreFiniteAndWithinZeroAndOne) {
  const auto with = [](auto probability) {
    const std::tuple verdict(std::vector{std::tuple(1, probability)}, 0);
    return good(17, kBatch, 0, 1, verdict, std::string());
  };
  EXPECT_TRUE(with(0.0f));
  EXPECT_TRUE(with(1.0f));
  EXPECT_FALSE(with(1.0001f));
  EXPECT_FALSE(with(-0.5f));
  EXPECT_FALSE(with(std::numeric_limits<float>::quiet_NaN()));
  EXPECT_FALSE(with(std::numeric_limits<float>::infinity()));
  EXPECT_FALSE(with(std::numeric_limits<double>::max()));
  EXPECT_TRUE(with(0.5)) << "float 64";
  EXPECT_TRUE(with(1)) << "a whole number";
  EXPECT_FALSE(with(2));
  EXPECT_FALSE(with(-1));
}

TEST(Codec, AnUnsignedNumberMayComeInASignedFormat) {
  EXPECT_EQ(fault_of("\x94\x04\xd0\x12\xd1" + std::string("\x00\x05\x00\x00", 4)),
            Reason::bad_message);
  EXPECT_EQ(fault_of("\x92\x04\xd0\x13"), Reason::none);
}

TEST(Codec, BombsAreRefusedWithoutAllocatingForThem) {
  std::vector<std::string> bombs = {
      "\xdd\xff\xff\xff\xff",              // An array of 2^32 - 1.
      "\xdf\xff\xff\xff\xff",              // A map of as many.
      "\xdb\xff\xff\xff\xff",              // A string.
      "\xc6\xff\xff\xff\xff",              // Bytes.
      "\xc9\xff\xff\xff\xff",              // An extension.
      "\x93\x04\x14\xdd\xff\xff\xff\xff",  // A status of as many counters.
      std::string("\x93\x04\x14\xdd\x00\x10\x00\x00", 8),
      "\x93\x04\x14\x91\x92\xdb\xff\xff\xff\xff",
      std::string(kHeaderBytesMax, '\x91'),  // Depth.
      std::string(kHeaderBytesMax, '\x81'),
      "\xdc\xff\xff" + std::string(65535, '\x01'),
      std::string(kHeaderBytesMax + 1, '\x01'),
      "\xc1",
      ""};
  std::string tokens = "\xdc\x07\xd0";  // 2,000 elements, 6,001 tokens.
  for (int i = 0; i < 2000; ++i) tokens += "\x92\x01\x01";
  bombs.push_back(tokens);
  for (const std::string& bomb : bombs) {
    const Bytes header(bomb.begin(), bomb.end());
    const std::size_t before = wire_test::allocated_bytes();
    const auto decoded = decode(header, {});
    const std::size_t used = wire_test::allocated_bytes() - before;
    EXPECT_FALSE(decoded);
    EXPECT_LT(used, 1024u) << "for " << bomb.size() << " bytes";
  }
}

TEST(Codec, OtherVersionsAreDistinguishedFromGarbage) {
  for (const std::uint64_t version : {0ull, 1ull, 255ull, ~0ull}) {
    EXPECT_EQ(fault({}, version, 19), Reason::wrong_protocol) << version;
    EXPECT_EQ(fault({}, version), Reason::wrong_protocol) << version;
    EXPECT_EQ(fault({kImage}, version, 5, 1, 0), Reason::wrong_protocol) << version;
    // A later version may have any form.
    EXPECT_EQ(fault({}, version, std::map<int, int>{{1, 2}}), Reason::wrong_protocol);
    EXPECT_EQ(fault({}, version, 4, 32), Reason::wrong_protocol);
  }
  EXPECT_EQ(fault({}, std::string("1"), 19), Reason::bad_message);
  EXPECT_EQ(fault({}, -1, 19), Reason::bad_message);
}

TEST(Codec, ARefusalIsReadWhateverItsVersion) {
  const auto refuse = [](std::uint64_t version, std::uint64_t reason) {
    msgpack::sbuffer header;
    msgpack::pack(header, std::tuple(version, 4, reason, version));
    const auto* data = reinterpret_cast<const std::uint8_t*>(header.data());
    return std::get<Refuse>(decode({data, header.size()}, {}).value());
  };
  EXPECT_EQ(refuse(7, 34).reason, Reason::wrong_model);
  EXPECT_EQ(refuse(7, 34).protocol, 7u);
  EXPECT_EQ(refuse(0, 32).protocol, 0u);
  EXPECT_EQ(refuse(7, 200).reason, Reason::wrong_protocol) << "a reason of a later version";
  EXPECT_EQ(fault({kImage}, 7, 4, 32, 7), Reason::wrong_protocol);
}

TEST(Codec, DurationsBeyondTheirRangeAreSentAsTheirBound) {
  const auto sent = [](Duration duration) {
    const Frames frames = encode(ServiceTimes{duration, 0ns, 0ns, 0ns});
    return std::get<ServiceTimes>(decode(frames.header, {}).value()).patience;
  };
  EXPECT_EQ(sent(-1ns), 0ns);
  EXPECT_EQ(sent(kDurationMax + 1ns), kDurationMax);
}

TEST(CodecDeathTest, WhatWeMayNotSendIsOurMistake) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  SlotSettled not_a_number;
  not_a_number.verdict.predictions = {{{1}, NAN}};
  Status long_name;
  long_name.counters = {{std::string(kNameMax + 1, 'n'), 1}};
  Status many;
  many.counters.resize(kCountersMax + 1);
  EXPECT_DEATH(encode(Drain{}), "local");
  EXPECT_DEATH(encode(SealCollage{{}, kSlotsMax + 1}), "check failed");
  EXPECT_DEATH(encode(not_a_number), "check failed");
  EXPECT_DEATH(encode(long_name), "check failed");
  EXPECT_DEATH(encode(many), "check failed");
}

}  // namespace
