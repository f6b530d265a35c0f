#include "models/serving/probe_answers.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Answers = std::vector<ProbeAnswer>;

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
const ProbeAnswer kRight = {2, -4};

TEST(Difference, IsThatOfTheWorstNumberOfTheWorstAnswer) {
  const Answers right = {kRight, kRight};
  EXPECT_EQ(difference(right, right), 0);
  EXPECT_DOUBLE_EQ(difference(right, Answers{{3, -4}, {2, -3.5}}), 0.25);
  EXPECT_TRUE(std::isinf(difference(right, Answers{{0, 0, 0}})));
  EXPECT_TRUE(std::isinf(difference(Answers{{0, 0}}, Answers{kRight})));
}

TEST(Difference, IsNoNumberIfAnyNumberIsNone) {
  const Answers right = {kRight, kRight};
  EXPECT_TRUE(std::isnan(difference(right, Answers{{2, kNone}, {2, -4.001F}})));
  EXPECT_TRUE(std::isnan(difference(right, Answers{{2, -4.001F}, {kNone, -4}})));
}

TEST(RequireFinite, ThrowsAtWhatIsNoNumberOrInfinite) {
  EXPECT_NO_THROW(require_finite(Answers{kRight}));
  EXPECT_THROW(require_finite(Answers{kRight, {kNone}}), std::runtime_error);
  EXPECT_THROW(require_finite(Answers{{std::numeric_limits<float>::infinity()}}),
               std::runtime_error);
}

TEST(SumToOne, LooksAtEachRowOfClasses) {
  EXPECT_TRUE(sum_to_one(Answers{{0.25, 0.75}, {1, 0}}, 2));
  EXPECT_TRUE(sum_to_one(Answers{{0.25, 0.75, 0.5, 0.5}}, 2));
  EXPECT_FALSE(sum_to_one(Answers{{0.25, 0.75, 0.5, 0.5}}, 4));
  EXPECT_FALSE(sum_to_one(Answers{{0.25, 0.75}, {0.25, 0.7}}, 2));
  EXPECT_FALSE(sum_to_one(Answers{{1.5, -0.5}}, 2));
  EXPECT_FALSE(sum_to_one(Answers{{}}, 2));
}

TEST(WarningsOf, SayWhatTheManifestShould) {
  const OutputForm logits;
  const OutputForm probabilities{.scores = Scores::probabilities};
  EXPECT_THAT(warnings_of(kRight, kRight, logits, false), IsEmpty());
  EXPECT_THAT(warnings_of(kRight, kRight, probabilities, true), IsEmpty());
  EXPECT_THAT(warnings_of(kRight, kRight, logits, true),
              ElementsAre(HasSubstr("scores: probabilities")));
  EXPECT_THAT(warnings_of(kRight, kRight, probabilities, false),
              ElementsAre(HasSubstr("do not sum to 1")));
  EXPECT_THAT(warnings_of(kRight, {2, -4.1F}, logits, false),
              ElementsAre(HasSubstr("exported in training mode")));
  EXPECT_THAT(warnings_of(kRight, {2, kNone}, logits, false),
              ElementsAre(HasSubstr("exported in training mode")));
}

}  // namespace
}  // namespace models
