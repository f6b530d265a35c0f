#include "broker/sessions.h"

#include <gmock/gmock.h>

#include "tests/broker/peers.h"
#include "tests/values.h"

namespace broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using wire::Reason;

constexpr machine::Peer kOne{0, 1}, kTwo{0, 2};

Sessions sessions() { return Sessions({.producer_max = 2, .credit = 2, .silence_max = 350ms}); }

TEST(Sessions, AProducerIsKnownByItsConnection) {
  Sessions s = sessions();
  EXPECT_EQ(s.at(kOne, at(0ms)), std::nullopt);
  EXPECT_TRUE(s.join(kAnn, kOne, at(0ms)));
  EXPECT_THAT(s.at(kOne, at(0ms)), Optional(kAnn));
  EXPECT_EQ(s.at(kTwo, at(0ms)), std::nullopt);
}

TEST(Sessions, AtProducerMaxAStrangerIsTurnedAwayAndAFriendIsNot) {
  Sessions s = sessions();
  EXPECT_TRUE(s.join(kAnn, {0, 1}, at(0ms)));
  EXPECT_TRUE(s.join(kBob, {0, 2}, at(0ms)));
  EXPECT_FALSE(s.join(kEve, {0, 3}, at(0ms)));
  EXPECT_TRUE(s.join(kAnn, {0, 4}, at(0ms)));
  EXPECT_EQ(s.size(), 2u);
}

TEST(Sessions, ARequestThatIsOpenCannotBeOpenedAgain) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  EXPECT_EQ(s.admit(kAnn, {5}), Reason::none);
  s.open(kAnn, {5}, {});
  EXPECT_EQ(s.admit(kAnn, {5}), Reason::duplicate_request);
  (void)s.close(kAnn, {5});
  EXPECT_EQ(s.admit(kAnn, {5}), Reason::none);
}

TEST(Sessions, AnOpenRequestIsFoundByItsOwnProducerOnly) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  ASSERT_TRUE(s.join(kBob, kTwo, at(0ms)));
  s.open(kAnn, {5}, {.batch = 3, .slot = 2});
  EXPECT_THAT(s.find(kAnn, {5}), Optional(Task{.batch = 3, .slot = 2}));
  EXPECT_EQ(s.find(kAnn, {6}), std::nullopt);
  EXPECT_EQ(s.find(kBob, {5}), std::nullopt);
  (void)s.close(kAnn, {5});
  EXPECT_EQ(s.find(kAnn, {5}), std::nullopt);
}

TEST(Sessions, OlderFramesAreThoseOfTheSameProducerAndStreamThatAreOpen) {
  Sessions s({.producer_max = 2, .credit = 10, .silence_max = 350ms});
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  ASSERT_TRUE(s.join(kBob, kTwo, at(0ms)));
  s.open(kAnn, {1}, {.batch = 1}, 7);
  s.open(kAnn, {2}, {.batch = 2}, 8);
  s.open(kAnn, {3}, {.batch = 3}, 7);
  s.open(kAnn, {4}, {.batch = 4});
  s.open(kAnn, {6}, {.batch = 6}, 7);
  s.open(kBob, {1}, {.batch = 5}, 7);
  EXPECT_THAT(s.older_frames(kAnn, 7, {5}), ElementsAre(Task{.batch = 1}, Task{.batch = 3}));
  s.place(kAnn, {1}, {.batch = 9});
  (void)s.close(kAnn, {3});
  EXPECT_THAT(s.older_frames(kAnn, 7, {5}), ElementsAre(Task{.batch = 9}));
  EXPECT_THAT(s.older_frames(kAnn, 9, {5}), IsEmpty());
}

TEST(Sessions, TheTermsAreThoseOfTheLatestHello) {
  Sessions s = sessions();
  EXPECT_EQ(s.terms(kAnn).weight, 1u);
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms), {.corrections = true, .weight = 3}));
  EXPECT_TRUE(s.terms(kAnn).corrections);
  EXPECT_EQ(s.terms(kAnn).weight, 3u);
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  EXPECT_FALSE(s.terms(kAnn).corrections);
}

TEST(Sessions, CreditIsAProducersOwn) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  ASSERT_TRUE(s.join(kBob, kTwo, at(0ms)));
  s.open(kAnn, {1}, {});
  s.open(kAnn, {2}, {});
  EXPECT_EQ(s.admit(kAnn, {3}), Reason::no_credit);
  EXPECT_EQ(s.admit(kBob, {3}), Reason::none);
  (void)s.close(kAnn, {1});
  EXPECT_EQ(s.admit(kAnn, {3}), Reason::none);
}

TEST(Sessions, ResultsGoWhereTheProducerSpokeFromLast) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  s.open(kAnn, {1}, {});
  ASSERT_TRUE(s.join(kAnn, kTwo, at(0ms)));
  EXPECT_EQ(s.at(kOne, at(0ms)), std::nullopt);
  EXPECT_THAT(s.close(kAnn, {1}), Optional(kTwo));
}

TEST(Sessions, AConnectionThatChangesHandsServesItsNewOwnerOnly) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  s.open(kAnn, {1}, {});
  ASSERT_TRUE(s.join(kBob, kOne, at(0ms)));
  EXPECT_THAT(s.at(kOne, at(0ms)), Optional(kBob));
  EXPECT_EQ(s.close(kAnn, {1}), std::nullopt);
}

TEST(Sessions, AProducerWhoseConnectionIsLostHasNowhereToBeAnswered) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  s.open(kAnn, {1}, {});
  EXPECT_TRUE(s.lost(kOne));
  EXPECT_FALSE(s.lost(kOne));
  EXPECT_EQ(s.close(kAnn, {1}), std::nullopt);
}

TEST(Sessions, TheSilentAreForgottenOnceNothingOfTheirsIsOpen) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  ASSERT_TRUE(s.join(kBob, kTwo, at(0ms)));
  s.open(kBob, {1}, {});
  s.sweep(at(350ms));
  EXPECT_EQ(s.size(), 2u);
  s.sweep(at(351ms));
  EXPECT_EQ(s.size(), 1u);
  EXPECT_EQ(s.at(kOne, at(351ms)), std::nullopt);
  (void)s.close(kBob, {1});
  s.sweep(at(351ms));
  EXPECT_EQ(s.size(), 0u);
}

TEST(Sessions, AnyWordIsASignOfLife) {
  Sessions s = sessions();
  ASSERT_TRUE(s.join(kAnn, kOne, at(0ms)));
  ASSERT_TRUE(s.at(kOne, at(300ms)));
  s.sweep(at(600ms));
  EXPECT_EQ(s.size(), 1u);
}

}  // namespace
}  // namespace broker
