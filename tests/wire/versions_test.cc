// Peers of versions 2 and 3: what is read from them and what is sent to them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <msgpack.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/wire/samples.h"
#include "wire/codec.h"

namespace {

using namespace std::chrono_literals;
using namespace wire;
using Bytes = std::vector<std::uint8_t>;
using wire_test::samples;

const Payload kImage(Payload::Bytes{0xff, 0xd8, 0xff, 0xd9});
const std::tuple kProducer(0xc3, 0xd4);

std::string hex(const Bytes& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    for (const int nibble : {byte >> 4, byte & 15}) text += "0123456789abcdef"[nibble];
  }
  return text;
}

std::vector<Payload> payloads(const Frames& frames) {
  return frames.has_payload ? std::vector{frames.payload} : std::vector<Payload>{};
}

template <class... Elements>
Bytes packed(const Elements&... elements) {
  msgpack::sbuffer header;
  msgpack::pack(header, std::tuple<Elements...>(elements...));
  return Bytes(header.data(), header.data() + header.size());
}

// Decodes a header of these elements; returns none on success, else the reason.
template <class... Elements>
Reason fault(std::vector<Payload> bodies, const Elements&... elements) {
  std::uint32_t protocol = 77;
  const auto decoded = decode(packed(elements...), bodies, &protocol);
  if (decoded) return Reason::none;
  EXPECT_EQ(protocol, 77u) << "set though nothing was decoded";
  return decoded.error();
}

const Message& sample(std::string_view of) {
  static const std::vector<Message> all = samples();
  return *std::find_if(all.begin(), all.end(), [of](const Message& m) { return kind(m) == of; });
}

// The bytes that version 2 of this program sent and that its peers expect.
TEST(Versions, WhatIsSentInVersion2HasTheBytesOfVersion2) {
  const auto sent = [](std::string_view of) { return hex(encode(sample(of), 2).header); };
  EXPECT_EQ(sent("producer_hello"), "94020192ccc3ccd4c3");
  EXPECT_EQ(sent("submit"), "9402052ace77359400");
  EXPECT_EQ(sent("cancel"), "9302152a");
  EXPECT_EQ(sent("probe"), "920213");
  EXPECT_EQ(sent("welcome"), "980203cde0c4ce3b9aca0040ce000f4240cf00000002540be400ce77359400");
  EXPECT_EQ(sent("refuse"), "9402042004");
  EXPECT_EQ(sent("result"),
            "9a02062a000200ce055d4a80ce01312d009292a3646f679205ca3f40000092a36361749203ca3e000000"
            "a9636f6c6c6167652d33");
  EXPECT_EQ(sent("correction"), "9702162a01ce17d784009192a36361749203ca3f400000a873696e676c652d37");
  EXPECT_EQ(sent("status"), "9302149292a87265636569766564cd03e892a46c61746503");
}

TEST(Versions, WhatIsSentInVersion3HasTheNewFields) {
  const auto sent = [](std::string_view of) { return hex(encode(sample(of), 3).header); };
  EXPECT_EQ(sent("submit"), "9603052ace773594000203");
  EXPECT_EQ(sent("result"),
            "9b03062a000200ce055d4a80ce01312d009292a3646f679205ca3f40000092a36361749203ca3e000000"
            "a9636f6c6c6167652d33c3");
  for (const Message& message : samples()) {
    EXPECT_EQ(encode(message, kProtocol).header, encode(message).header);
  }
}

TEST(Versions, WhatNoProducerAndNoObserverGetsIsSentInTheCurrentVersion) {
  const std::set<std::string_view> in_2 = {"producer_hello", "submit",     "cancel",
                                           "probe",          "welcome",    "refuse",
                                           "result",         "correction", "status"};
  for (const Message& message : samples()) {
    EXPECT_EQ(encode(message, 2).header[1], in_2.contains(kind(message)) ? 2 : kProtocol)
        << kind(message);
  }
}

TEST(Versions, WhatProducersAndObserversSendIsReadInOlderVersions) {
  for (const std::uint32_t version : {2u, 3u}) {
    for (const char* of : {"producer_hello", "submit", "cancel", "probe"}) {
      SCOPED_TRACE(of);
      const Frames frames = encode(sample(of), version);
      std::uint32_t protocol = 0;
      const auto decoded = decode(frames.header, payloads(frames), &protocol);
      ASSERT_TRUE(decoded);
      EXPECT_EQ(protocol, version);
      EXPECT_EQ(kind(*decoded), of);
      EXPECT_EQ(encode(*decoded, version).header, frames.header);
    }
  }
}

TEST(Versions, TheCallerLearnsTheVersionOfEveryMessage) {
  for (const Message& message : samples()) {
    const Frames frames = encode(message);
    std::uint32_t protocol = 0;
    ASSERT_TRUE(decode(frames.header, payloads(frames), &protocol)) << kind(message);
    EXPECT_EQ(protocol, kProtocol) << kind(message);
  }
  std::uint32_t protocol = 77;
  EXPECT_TRUE(decode(packed(9, 4, 32, 9), {}, &protocol));
  EXPECT_EQ(protocol, 77u) << "a refuse of another version tells nothing";
}

TEST(Versions, FieldsThatVersion2DoesNotHaveKeepTheirDefaults) {
  const auto decoded = decode(packed(2, 5, 42, 1000), std::vector{kImage});
  ASSERT_TRUE(decoded);
  const auto& submit = std::get<Submit>(*decoded);
  EXPECT_EQ(submit.request, RequestId{42});
  EXPECT_EQ(submit.remaining, 1000ns);
  EXPECT_EQ(submit.image.size(), kImage.size());
  EXPECT_EQ(submit.priority, Priority::normal);
  EXPECT_EQ(submit.latest, 0u);
}

TEST(Versions, EveryOtherKindOfVersion2IsOfAnotherProtocol) {
  const std::set<std::string_view> read = {"producer_hello", "submit", "cancel", "probe", "refuse"};
  for (const Message& message : samples()) {
    if (read.contains(kind(message))) continue;
    Frames frames = encode(message, 2);
    frames.header[1] = 2;
    const auto decoded = decode(frames.header, payloads(frames));
    ASSERT_FALSE(decoded) << kind(message);
    EXPECT_EQ(decoded.error(), Reason::wrong_protocol) << kind(message);
  }
  EXPECT_EQ(fault({}, 2, 24, 17), Reason::wrong_protocol);
  for (const std::uint64_t number : {0ull, 25ull, ~0ull}) {
    EXPECT_EQ(fault({}, 2, number), Reason::wrong_protocol) << number;
  }
  EXPECT_EQ(fault({}, 2), Reason::wrong_protocol);
  EXPECT_EQ(fault({}, 2, std::string("probe")), Reason::wrong_protocol);
  EXPECT_EQ(fault({}, 1, 19), Reason::wrong_protocol);
  EXPECT_EQ(fault({}, kProtocol + 1, 19), Reason::wrong_protocol);
}

TEST(Versions, ARefuseOfVersion2IsRead) {
  const auto decoded = decode(packed(2, 4, 32, 2), {});
  ASSERT_TRUE(decoded);
  EXPECT_EQ(std::get<Refuse>(*decoded).reason, Reason::wrong_protocol);
  EXPECT_EQ(std::get<Refuse>(*decoded).protocol, 2u);
}

TEST(Versions, EachVersionHasItsOwnNumberOfFields) {
  EXPECT_EQ(fault({kImage}, 2, 5, 42, 0), Reason::none);
  EXPECT_EQ(fault({kImage}, 2, 5, 42, 0, 1), Reason::bad_message);
  EXPECT_EQ(fault({kImage}, 2, 5, 42, 0, 1, 0), Reason::bad_message);
  EXPECT_EQ(fault({kImage}, 2, 5, 42), Reason::bad_message);
  EXPECT_EQ(fault({}, 2, 5, 42, 0), Reason::bad_message) << "no image";
  EXPECT_EQ(fault({kImage}, 3, 5, 42, 0, 1, 0), Reason::none);
  EXPECT_EQ(fault({kImage}, 3, 5, 42, 0, 1), Reason::bad_message);
  EXPECT_EQ(fault({kImage}, 3, 5, 42, 0), Reason::bad_message);
  EXPECT_EQ(fault({kImage}, 3, 5, 42, 0, 1, 0, 0), Reason::bad_message);
  const std::tuple batch(1, 2);
  const std::vector<int> ages(2);
  EXPECT_EQ(fault({}, 4, 15, batch, ages, false), Reason::none);
  EXPECT_EQ(fault({}, 4, 15, batch, ages), Reason::bad_message);
  EXPECT_EQ(fault({}, 3, 15, batch, ages, false), Reason::wrong_protocol);
  const std::vector<int> none;
  EXPECT_EQ(fault({}, 4, 6, 1, 0, 0, 0, 0, 0, none, std::string(), true), Reason::none);
  EXPECT_EQ(fault({}, 4, 6, 1, 0, 0, 0, 0, 0, none, std::string()), Reason::bad_message);
  EXPECT_EQ(fault({}, 4, 6, 1, 0, 0, 0, 0, 0, none, std::string(), 1), Reason::bad_message);
}

TEST(Versions, Version2IsCheckedAsStrictlyAsTheCurrentOne) {
  EXPECT_EQ(fault({}, 2, 1, kProducer, true), Reason::none);
  EXPECT_EQ(fault({}, 2, 1, kProducer), Reason::bad_message);
  EXPECT_EQ(fault({}, 2, 1, std::tuple(1), true), Reason::bad_message);
  EXPECT_EQ(fault({}, 2, 1, kProducer, 1), Reason::bad_message);
  EXPECT_EQ(fault({kImage}, 2, 1, kProducer, true), Reason::bad_message);
  EXPECT_EQ(fault({kImage}, 2, 5, 42, 86'400'000'000'001), Reason::bad_message);
  EXPECT_EQ(fault({kImage}, 2, 5, -1, 0), Reason::bad_message);
  for (const char* of : {"producer_hello", "submit", "cancel", "probe"}) {
    Frames frames = encode(sample(of), 2);
    for (std::size_t size = 3; size < frames.header.size(); ++size) {
      const auto cut = decode({frames.header.data(), size}, payloads(frames));
      ASSERT_FALSE(cut) << of << " cut to " << size;
      EXPECT_EQ(cut.error(), Reason::bad_message);
    }
    frames.header.push_back(0x00);
    EXPECT_FALSE(decode(frames.header, payloads(frames))) << of;
  }
}

TEST(Versions, WhatVersion2DoesNotKnowIsReplaced) {
  Result result;
  result.status = ResultStatus::refused;
  result.reason = Reason::overloaded;
  result.retry_after = 1s;
  Result full = result;
  full.reason = Reason::full;
  EXPECT_EQ(encode(result, 2).header, encode(full, 2).header);
  EXPECT_NE(encode(result).header, encode(full).header);
  Result superseded;
  superseded.status = ResultStatus::superseded;
  EXPECT_EQ(encode(superseded, 2).header, encode(Result{}, 2).header);
  EXPECT_EQ(Result{}.status, ResultStatus::missing);
  EXPECT_NE(encode(superseded).header, encode(Result{}).header);
  Result missing;
  for (const Reason why :
       {Reason::no_broker, Reason::no_sink, Reason::no_stage, Reason::no_answer}) {
    missing.reason = why;
    EXPECT_EQ(encode(missing, 2).header, encode(Result{}, 2).header);
    EXPECT_NE(encode(missing).header, encode(Result{}).header);
  }
}

TEST(VersionsDeathTest, OnlyVersionsThatAreServedCanBeSent) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(encode(StatusRequest{}, kProtocolMin - 1), "check failed");
  EXPECT_DEATH(encode(StatusRequest{}, kProtocol + 1), "check failed");
}

}  // namespace
