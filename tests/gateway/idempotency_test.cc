#include "gateway/idempotency.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <string>

#include "gateway/door/fresh_key.h"
#include "tests/values.h"

namespace gateway {
namespace {

using namespace std::chrono_literals;
using What = Idempotency::Begun::What;

constexpr std::size_t kRoom = 1 << 20;  // More than the responses take, where bytes do not matter.

Response of_size(std::size_t bytes) {
  Response response;
  response.body.assign(bytes, 'x');
  return response;
}

TEST(Idempotency, ARequestThatIsSentAgainGetsTheSameResponse) {
  Idempotency known(8, kRoom, 10s);
  EXPECT_EQ(known.begin("k", 1, at(0s)).what, What::fresh);
  EXPECT_EQ(known.begin("k", 1, at(1s)).what, What::running);
  Response answer;
  answer.body = "answer";
  known.finish("k", answer, at(2s));
  const auto again = known.begin("k", 1, at(11s));
  EXPECT_EQ(again.what, What::replay);
  EXPECT_EQ(again.response.body, "answer");
  EXPECT_EQ(known.begin("other", 1, at(11s)).what, What::fresh);
}

TEST(Idempotency, AKeyBelongsToOneRequest) {
  Idempotency known(8, kRoom, 10s);
  EXPECT_EQ(known.begin("k", 1, at(0s)).what, What::fresh);
  EXPECT_EQ(known.begin("k", 2, at(0s)).what, What::mismatch);
  known.finish("k", {}, at(0s));
  EXPECT_EQ(known.begin("k", 2, at(0s)).what, What::mismatch);
}

TEST(Idempotency, AResponseIsForgottenAfterItsWindow) {
  Idempotency known(8, kRoom, 10s);
  known.begin("k", 1, at(0s));
  known.finish("k", {}, at(5s));
  EXPECT_EQ(known.begin("k", 2, at(15s)).what, What::fresh);
}

TEST(Idempotency, WhatWasAbandonedMayBeginAgain) {
  Idempotency known(8, kRoom, 10s);
  known.begin("k", 1, at(0s));
  known.abandon("k");
  EXPECT_EQ(known.begin("k", 2, at(0s)).what, What::fresh);
}

TEST(Idempotency, AnExceptionAbandonsAFreshKey) {
  Idempotency known(8, kRoom, 10s);
  std::mutex mutex;
  known.begin("k", 1, at(0s));
  try {
    const FreshKey key(known, mutex, "k");
    throw std::runtime_error("no memory");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(known.begin("k", 1, at(0s)).what, What::fresh);
  FreshKey(known, mutex, "k").finish({}, at(0s));
  EXPECT_EQ(known.begin("k", 1, at(0s)).what, What::replay);
}

TEST(Idempotency, TheOldestResponsesMakeRoom) {
  Idempotency known(2, kRoom, 10s);
  for (const char* key : {"a", "b", "c"}) {
    known.begin(key, 1, at(0s));
    known.finish(key, {}, at(0s));
  }
  EXPECT_EQ(known.size(), 2u);
  EXPECT_EQ(known.begin("b", 1, at(1s)).what, What::replay);
  EXPECT_EQ(known.begin("c", 1, at(1s)).what, What::replay);
  EXPECT_EQ(known.begin("a", 1, at(1s)).what, What::fresh);
}

TEST(Idempotency, ResponsesAreBoundedInBytes) {
  Idempotency known(8, 100'000, 10s);
  for (const char* key : {"a", "b", "c"}) {
    known.begin(key, 1, at(0s));
    known.finish(key, of_size(40'000), at(0s));
  }
  EXPECT_EQ(known.size(), 2u);
  EXPECT_EQ(known.begin("b", 1, at(1s)).what, What::replay);
  EXPECT_EQ(known.begin("c", 1, at(1s)).what, What::replay);
  // What is forgotten makes room again.
  for (const char* key : {"d", "e"}) {
    known.begin(key, 1, at(10s));
    known.finish(key, of_size(40'000), at(10s));
  }
  EXPECT_EQ(known.begin("d", 1, at(11s)).what, What::replay);
  EXPECT_EQ(known.begin("e", 1, at(11s)).what, What::replay);
}

TEST(Idempotency, KeysAndHeadersCountAsBytesToo) {
  Idempotency known(8, 100'000, 10s);
  Response headers;
  headers.add("X", std::string(60'000, 'x'));
  known.begin("a", 1, at(0s));
  known.finish("a", headers, at(0s));
  const std::string long_key(30'000, 'k');  // Held twice.
  known.begin(long_key, 1, at(0s));
  known.finish(long_key, {}, at(0s));
  EXPECT_EQ(known.begin(long_key, 1, at(1s)).what, What::replay);
  EXPECT_EQ(known.begin("a", 1, at(1s)).what, What::fresh);
}

TEST(Idempotency, AResponseAboveTheBoundDoesNotPushOutTheOthers) {
  Idempotency known(8, 100'000, 10s);
  known.begin("small", 1, at(0s));
  known.finish("small", {}, at(0s));
  known.begin("large", 1, at(0s));
  known.finish("large", of_size(100'000), at(0s));
  EXPECT_EQ(known.begin("small", 1, at(1s)).what, What::replay);
  EXPECT_EQ(known.begin("large", 1, at(1s)).what, What::fresh);
}

}  // namespace
}  // namespace gateway
