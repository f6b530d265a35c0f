#include "wire/payload.h"

#include <gtest/gtest.h>

namespace {

using wire::Payload;

TEST(Payload, ACopySharesTheBytes) {
  const Payload one(Payload::Bytes{1, 2, 3});
  const Payload two = one;
  EXPECT_EQ(one.bytes().data(), two.bytes().data());
  EXPECT_EQ(two.size(), 3u);
}

TEST(Payload, TheOnlyHandleGivesItsBytesUpWithoutACopy) {
  Payload one(Payload::Bytes{1, 2, 3});
  const auto* before = one.bytes().data();
  const Payload::Bytes bytes = std::move(one).release();
  EXPECT_EQ(bytes.data(), before);
  EXPECT_TRUE(one.empty());
}

TEST(Payload, ASharedHandleGivesACopyAndLeavesTheOther) {
  Payload one(Payload::Bytes{1, 2, 3});
  const Payload two = one;
  Payload::Bytes bytes = std::move(one).release();
  bytes[0] = 9;
  EXPECT_EQ(two.bytes()[0], 1);
}

TEST(Payload, AForeignOwnerLivesAsLongAsAHandle) {
  auto owner = std::make_shared<std::vector<std::uint8_t>>(4, std::uint8_t{7});
  const std::weak_ptr<void> watch = owner;
  Payload handle(owner, *owner);
  owner.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(std::move(handle).release(), Payload::Bytes(4, 7));
  EXPECT_TRUE(watch.expired());
}

}  // namespace
