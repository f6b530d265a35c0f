#include "wire/message.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/wire/samples.h"

namespace {

using namespace wire;

TEST(Message, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Message& message : wire_test::samples()) names.insert(kind(message));
  for (const Message& local : {Message(Undelivered{}), Message(Undecodable{}),
                               Message(Authenticated{}), Message(Drain{})}) {
    names.insert(kind(local));
  }
  EXPECT_EQ(names.size(), std::variant_size_v<Message>);
  EXPECT_EQ(kind(ProducerHello{}), "producer_hello");
  EXPECT_EQ(kind(CollageAnswer{}), "collage_answer");
  EXPECT_EQ(kind(Disagreement{}), "corrected");
  EXPECT_EQ(kind(Withdraw{}), "withdraw");
  EXPECT_EQ(kind(Drain{}), "drain");
}

// The numbers of kinds are part of the wire: kinds are added after the last one.
TEST(Message, TheKindsKeepTheirNumbers) {
  EXPECT_EQ(Message(StatusRequest{}).index() + 1, 19u);
  EXPECT_EQ(Message(Cancel{}).index() + 1, 21u);
  EXPECT_EQ(Message(Correction{}).index() + 1, 22u);
  EXPECT_EQ(Message(Disagreement{}).index() + 1, 23u);
  EXPECT_EQ(Message(Withdraw{}).index() + 1, 24u);
  EXPECT_EQ(Message(Undelivered{}).index(), kWireMessages);
}

TEST(Message, EveryReasonIsFoundByItsNumber) {
  int known = 0;
  for (std::uint64_t number = 0; number < 300; ++number) {
    const auto reason = reason_from(number);
    if (!reason) continue;
    EXPECT_EQ(static_cast<std::uint64_t>(*reason), number);
    EXPECT_NE(to_string(*reason), "unknown");
    ++known;
  }
  EXPECT_EQ(known, 25);
  EXPECT_EQ(to_string(static_cast<Reason>(255)), "unknown");
}

TEST(Message, EnumeratorsHaveTheirNames) {
  EXPECT_EQ(to_string(Role::sink), "sink");
  EXPECT_EQ(to_string(Source::hedge), "hedge");
  EXPECT_EQ(to_string(ResultStatus::refused), "refused");
  EXPECT_EQ(to_string(ResultStatus::cancelled), "cancelled");
  EXPECT_EQ(to_string(ResultStatus::superseded), "superseded");
  EXPECT_EQ(to_string(Priority::low), "low");
  EXPECT_EQ(to_string(Priority::normal), "normal");
  EXPECT_EQ(to_string(Priority::high), "high");
  EXPECT_EQ(to_string(static_cast<Priority>(3)), "unknown");
  EXPECT_EQ(to_string(static_cast<Role>(9)), "unknown");
}

TEST(Message, TheLabelsHashDependsOnOrderAndBoundaries) {
  EXPECT_EQ(labels_hash({}), 0xcbf29ce484222325u);
  EXPECT_EQ(labels_hash({"a"}), 0x089be207b544f1e4u);
  EXPECT_NE(labels_hash({"ab", "c"}), labels_hash({"a", "bc"}));
  EXPECT_NE(labels_hash({"a", "b"}), labels_hash({"b", "a"}));
}

}  // namespace
