#include "producer/choice.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

namespace producer {
namespace {

using testing::Each;
using testing::Gt;

const std::vector<std::string> kThree = {"tcp://a:5570", "tcp://b:5570", "tcp://c:5570"};

std::string stream(int i) { return "camera-" + std::to_string(i); }

TEST(ChooseBroker, OfOneIsThatOne) {
  const std::vector<std::string> one = {"tcp://a:5570"};
  EXPECT_EQ(choose_broker("camera-1", one), 0u);
}

TEST(ChooseBroker, DoesNotDependOnTheOrderOfTheList) {
  std::vector<std::string> turned(kThree.rbegin(), kThree.rend());
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(turned[choose_broker(stream(i), turned)], kThree[choose_broker(stream(i), kThree)]);
  }
}

// Clients in other languages follow docs/WIRE.md, so these choices must not change.
TEST(ChooseBroker, IsAsWritten) {
  std::string chosen;
  for (int i = 0; i < 8; ++i) chosen += kThree[choose_broker(stream(i), kThree)].substr(6, 1);
  EXPECT_EQ(chosen, "bbaabbcb");
}

TEST(RankBrokers, TheNextIsTheOneThatWouldBeChosenWithoutThoseBefore) {
  for (int i = 0; i < 100; ++i) {
    const std::vector<std::string> ranked = rank_brokers(stream(i), kThree);
    EXPECT_THAT(ranked, testing::UnorderedElementsAreArray(kThree));
    for (std::size_t first = 0; first < ranked.size(); ++first) {
      EXPECT_EQ(choose_broker(stream(i), std::span(ranked).subspan(first)), 0u);
    }
  }
}

TEST(RankBrokers, ABrokerThatIsListedTwiceIsNoSecondOne) {
  EXPECT_EQ(rank_brokers("camera-1", {"tcp://a:5570", "tcp://a:5570"}).size(), 1u);
}

TEST(ChooseBroker, SpreadsStreamsEvenly) {
  std::vector<int> count(kThree.size());
  for (int i = 0; i < 3000; ++i) count[choose_broker(stream(i), kThree)] += 1;
  EXPECT_THAT(count, Each(Gt(900)));  // 1000 are expected; ten standard deviations are 258.
}

TEST(ChooseBroker, MovesOnlyTheStreamsOfABrokerThatIsTakenOut) {
  const std::vector<std::string> two(kThree.begin(), kThree.end() - 1);
  for (int i = 0; i < 300; ++i) {
    const std::string& before = kThree[choose_broker(stream(i), kThree)];
    if (before == kThree.back()) continue;
    EXPECT_EQ(two[choose_broker(stream(i), two)], before);
  }
}

}  // namespace
}  // namespace producer
