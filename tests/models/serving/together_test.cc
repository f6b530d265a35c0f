#include "models/serving/together.h"

#include <gmock/gmock.h>

namespace models {
namespace {

// A network that takes a second for a call and `each` for an input, by a clock of its own; it
// answers each input with its first two values.
class TogetherTest : public ::testing::Test {
 protected:
  Together quickest(std::size_t most) {
    const Call call = [this](const torch::Tensor& input) -> c10::IValue {
      now += 1 + each * static_cast<double>(input.size(0));
      if (input.size(0) > refused_above) throw std::runtime_error("too many");
      torch::Tensor answer = input.flatten(1).slice(1, 0, 2).clone();
      if (input.size(0) == wrong_for) answer += 1;
      return answer;
    };
    return quickest_together(call, {}, {torch::rand({1, 1, 2, 2}), torch::rand({1, 1, 2, 2})}, most,
                             [this] { return now; });
  }

  double now = 0;
  double each = 0.1;
  std::int64_t refused_above = 1000;
  std::int64_t wrong_for = 0;
};

TEST_F(TogetherTest, AsManyAsMayBeWhileTheTimeOfACallIsMostOfIt) {
  const Together together = quickest(8);
  EXPECT_EQ(together.count, 8u);
  EXPECT_NEAR(together.seconds, (1 + 8 * 0.1) / 8, 1e-9);
  EXPECT_EQ(summary(together), ", 8 at once 225.0 ms each");
}

TEST_F(TogetherTest, NoMoreThanBringATenth) {
  each = 3;  // Of 1, 2, 4 inputs each takes 4, 3.5, 3.25 seconds.
  EXPECT_EQ(quickest(8).count, 2u);
  each = 5;
  EXPECT_EQ(quickest(8).count, 1u);
}

TEST_F(TogetherTest, NoneTogetherUnlessTheyAreAskedFor) {
  EXPECT_EQ(quickest(1).count, 1u);
  EXPECT_EQ(now, 0);
  EXPECT_EQ(summary(Together{}), "");
}

TEST_F(TogetherTest, NoMoreThanTheNetworkTakes) {
  refused_above = 3;
  EXPECT_EQ(quickest(8).count, 2u);
  refused_above = 1;
  EXPECT_EQ(quickest(8).count, 1u);
}

TEST_F(TogetherTest, NotSoManyThatSomeNumberBelowIsAnsweredWrongly) {
  wrong_for = 3;
  EXPECT_EQ(quickest(8).count, 2u);
}

}  // namespace
}  // namespace models
