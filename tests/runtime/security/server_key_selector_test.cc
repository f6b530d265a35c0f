#include "runtime/security/server_key_selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/values.h"

namespace {

using namespace std::chrono_literals;
using runtime::PublicKey;
using runtime::ServerKeySelector;
using wire::Instant;
using Failure = ServerKeySelector::Failure;

const PublicKey kOld = *PublicKey::parse(std::string(40, '0'));
const PublicKey kNew = *PublicKey::parse(std::string(40, '1'));

TEST(ServerKeySelector, TheOtherOfTwoIsTriedAtOnce) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::silent, {kOld, kNew}, at(5s));
  EXPECT_EQ(server.retry_at(), at(5s));
  EXPECT_TRUE(server.on_retry());
  EXPECT_EQ(server.key(), kNew);
  EXPECT_FALSE(server.retry_at());
}

TEST(ServerKeySelector, TheOnlyOneIsLeftToZeroMqToTryAgain) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::silent, {kOld}, at(5s));
  EXPECT_EQ(server.key(), kOld);
  EXPECT_FALSE(server.retry_at());
}

TEST(ServerKeySelector, OneThatIsNoLongerKnownIsGivenUpForOneThatIs) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::silent, {kNew}, at(5s));
  server.on_retry();
  EXPECT_EQ(server.key(), kNew);
}

TEST(ServerKeySelector, TwoThatAreBothWrongAreTriedInTurnMoreAndMoreSlowly) {
  ServerKeySelector server(kOld);
  Instant now = at(0s);
  std::vector<wire::Duration> waits;
  for (int i = 0; i < 12; ++i) {
    server.on_failure(Failure::silent, {kOld, kNew}, now);
    waits.push_back(*server.retry_at() - now);
    now = *server.retry_at();
    server.on_retry();
    EXPECT_EQ(server.key(), i % 2 == 0 ? kNew : kOld);
  }
  EXPECT_THAT(waits, testing::ElementsAre(0s, 100ms, 200ms, 200ms, 400ms, 400ms, 800ms, 800ms,
                                          1600ms, 1600ms, 2s, 2s));
}

TEST(ServerKeySelector, OfManyTheOneThatWorkedIsTriedBetweenTheOthers) {
  std::vector<PublicKey> known;
  for (const char digit : {'0', '1', '2', '3'}) {
    known.push_back(*PublicKey::parse(std::string(40, digit)));
  }
  ServerKeySelector server(known[1]);
  server.on_success();
  Instant now = at(0s);
  std::string tried;
  std::vector<wire::Duration> waits;
  for (int i = 0; i < 9; ++i) {
    server.on_failure(Failure::silent, known, now);
    waits.push_back(*server.retry_at() - now);
    now = *server.retry_at();
    server.on_retry();
    tried += server.key().text().front();
  }
  EXPECT_EQ(tried, "213101213");
  // Longer only when all have had their turn.
  EXPECT_THAT(waits,
              testing::ElementsAre(0s, 100ms, 100ms, 100ms, 100ms, 100ms, 200ms, 200ms, 200ms));
}

TEST(ServerKeySelector, OfManyOneThatWorkedButIsNoLongerKnownHasNoMoreTurns) {
  const PublicKey third = *PublicKey::parse(std::string(40, '2'));
  ServerKeySelector server(kOld);
  server.on_success();
  Instant now = at(0s);
  for (const PublicKey& expected : {kNew, third, kNew}) {
    server.on_failure(Failure::silent, {kNew, third}, now);
    now = *server.retry_at();
    server.on_retry();
    EXPECT_EQ(server.key(), expected);
  }
}

TEST(ServerKeySelector, ARetryThatWasPutOffIsMadeWithTheSameKey) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::silent, {kOld, kNew}, at(5s));
  EXPECT_EQ(server.next(), kNew);
  server.put_off(at(5s));
  EXPECT_EQ(server.retry_at(), at(5100ms));
  EXPECT_EQ(server.key(), kOld);
  EXPECT_TRUE(server.on_retry());
  EXPECT_EQ(server.key(), kNew);
}

TEST(ServerKeySelector, ASuccessMakesTheNextFailureTheFirst) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::silent, {kOld, kNew}, at(0s));
  server.on_retry();
  server.on_success();
  server.on_failure(Failure::silent, {kOld, kNew}, at(9s));
  EXPECT_EQ(server.retry_at(), at(9s));
  server.on_retry();
  EXPECT_EQ(server.key(), kOld);
}

TEST(ServerKeySelector, ASuccessCancelsAScheduledRetry) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::silent, {kOld, kNew}, at(0s));
  server.on_success();
  EXPECT_FALSE(server.retry_at());
  EXPECT_EQ(server.key(), kOld);
}

TEST(ServerKeySelector, ARefusalIsRetriedWithTheSameKey) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::refused, {kOld, kNew}, at(0s));
  EXPECT_EQ(server.retry_at(), at(100ms));
  EXPECT_FALSE(server.on_retry());
  EXPECT_EQ(server.key(), kOld);
}

TEST(ServerKeySelector, AnEndedHandshakeIsRetriedEvenWithTheSameKey) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::ended, {kOld}, at(0s));
  EXPECT_EQ(server.retry_at(), at(100ms));
  EXPECT_FALSE(server.on_retry());
  EXPECT_EQ(server.key(), kOld);
}

TEST(ServerKeySelector, AFailureThatIsAlreadyActedOnChangesNothing) {
  ServerKeySelector server(kOld);
  server.on_failure(Failure::silent, {kOld, kNew}, at(0s));
  server.on_failure(Failure::silent, {kOld, kNew}, at(1s));
  EXPECT_EQ(server.retry_at(), at(0s));
  server.on_retry();
  EXPECT_EQ(server.key(), kNew);
}

}  // namespace
