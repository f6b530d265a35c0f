#include "stages/pace.h"

#include <gmock/gmock.h>

#include <chrono>

namespace stages {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// As in pipeline.yaml.
constexpr GrantedTimes kDefaults{
    .task_age_max = 3s, .deadline = 5s, .patience = {{"sink.patience_max", 2s}}};

TEST(ClassifierCapacity, IsTwoForANetworkOfTenMillisecondsAndElseOneUnlessGiven) {
  EXPECT_EQ(classifier_capacity({}, false, 100us), 2u);
  EXPECT_EQ(classifier_capacity({}, false, 10ms), 2u);
  EXPECT_EQ(classifier_capacity({}, false, 10ms + 1ns), 1u);
  EXPECT_EQ(classifier_capacity({}, true, 100us), 1u);
  EXPECT_EQ(classifier_capacity(1, false, 100us), 1u);
  EXPECT_EQ(classifier_capacity(7, true, 1s), 7u);
}

TEST(TooShort, TheDefaultsAreEnoughForAnInferenceOf800Milliseconds) {
  EXPECT_THAT(too_short(kDefaults, 800ms, 1), IsEmpty());
}

TEST(TooShort, NamesTheSettingItsValueWhatHappensAndAValueThatWouldDo) {
  EXPECT_THAT(
      too_short(kDefaults, 840ms, 1),
      ElementsAre("broker.deadline is 5000ms, but 3 inferences of 840ms may last twice as long as "
                  "on an idle host: images would end as `missing` though stages work on them; "
                  "5100ms would do"));
}

TEST(TooShort, AStageThatHoldsSeveralTasksNeedsMoreTime) {
  EXPECT_THAT(too_short(kDefaults, 400ms, 4),
              ElementsAre(AllOf(HasSubstr("broker.task_age_max is 3000ms"),
                                HasSubstr("4 inferences of 400ms"), HasSubstr("3200ms"))));
}

TEST(TooShort, PatienceCountsOnlyWhereThereIsSome) {
  const GrantedTimes fixed{
      .task_age_max = 3s, .deadline = 5s, .patience = {{"sink.patience_initial", 250ms}}};
  EXPECT_THAT(too_short(fixed, 200ms, 1),
              ElementsAre(AllOf(HasSubstr("sink.patience_initial is 250ms"),
                                HasSubstr("1 inference of 200ms"), HasSubstr("400ms"))));
  EXPECT_THAT(too_short({.task_age_max = 3s, .deadline = 5s, .patience = {}}, 200ms, 1), IsEmpty());
}

TEST(TooShort, WhatItSuggestsIsEnough) {
  EXPECT_THAT(too_short(kDefaults, 2s, 1), SizeIs(3));
  const GrantedTimes more{
      .task_age_max = 4s, .deadline = 12s, .patience = {{"sink.patience_max", 4s}}};
  EXPECT_THAT(too_short(more, 2s, 1), IsEmpty());
}

}  // namespace
}  // namespace stages
