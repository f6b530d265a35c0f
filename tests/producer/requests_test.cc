#include "producer/requests.h"

#include <gtest/gtest.h>

#include "tests/values.h"

namespace producer {
namespace {

using namespace std::chrono_literals;
using wire::Instant;
using wire::RequestId;

void add(Requests& requests, std::uint64_t id, wire::Duration expires) {
  Request request;
  request.image = wire::Payload(wire::Payload::Bytes(10));
  request.deadline = request.expires = at(expires);
  requests.add({id}, std::move(request));
}

TEST(Requests, TheOldestQueuedComesFirstAgainAfterItsReturn) {
  Requests requests;
  add(requests, 1, 1s);
  add(requests, 2, 1s);
  requests.sent({1}, at(0s), at(1s), std::nullopt);
  EXPECT_EQ(requests.next(), RequestId{2});
  EXPECT_EQ(requests.in_flight(), 1u);
  requests.queue_in_flight();
  EXPECT_EQ(requests.next(), RequestId{1});
  EXPECT_EQ(requests.in_flight(), 0u);
}

TEST(Requests, EqualExpiriesGoInOrderOfId) {
  Requests requests;
  add(requests, 1, 2s);
  add(requests, 2, 1s);
  add(requests, 3, 1s);
  EXPECT_EQ(requests.expired(at(999ms)), std::nullopt);
  EXPECT_EQ(requests.expired(at(1s)), RequestId{2});
  requests.remove({2});
  EXPECT_EQ(requests.expired(at(1s)), RequestId{3});
  requests.remove({3});
  EXPECT_EQ(requests.next_timeout(), at(2s));
}

TEST(Requests, ARefusedOneSleepsUntilItsTime) {
  Requests requests;
  add(requests, 1, 2s);
  requests.refused({1}, wire::Reason::full, at(1s));
  EXPECT_EQ(requests.next(), std::nullopt);
  EXPECT_EQ(requests.next_timeout(), at(1s));
  requests.wake(at(1s));
  EXPECT_EQ(requests.next(), RequestId{1});
  EXPECT_EQ(requests.next_timeout(), at(2s));
}

TEST(Requests, OnlyThoseSentSinceAreQueuedAgain) {
  Requests requests;
  add(requests, 1, 2s);
  add(requests, 2, 2s);
  requests.sent({1}, at(1ms), at(2s), std::nullopt);
  requests.sent({2}, at(2ms), at(2s), std::nullopt);
  requests.queue_sent_since(at(2ms));
  EXPECT_EQ(requests.next(), RequestId{2});
  EXPECT_EQ(requests.in_flight(), 1u);
}

TEST(Requests, ASpentOneOnlyExpires) {
  Requests requests;
  add(requests, 1, 2s);
  requests.spend({1});
  requests.queue_in_flight();
  EXPECT_EQ(requests.next(), std::nullopt);
  EXPECT_EQ(requests.expired(at(2s)), RequestId{1});
}

TEST(Requests, RemovingLeavesNothingBehind) {
  Requests requests;
  add(requests, 1, 2s);
  EXPECT_EQ(requests.bytes(), 10u);
  requests.sent({1}, at(0s), at(3s), at(1s));
  requests.remove({1});
  EXPECT_EQ(requests.size(), 0u);
  EXPECT_EQ(requests.bytes(), 0u);
  EXPECT_EQ(requests.in_flight(), 0u);
  EXPECT_EQ(requests.next_timeout(), std::nullopt);
  EXPECT_EQ(requests.find({1}), nullptr);
}

}  // namespace
}  // namespace producer
