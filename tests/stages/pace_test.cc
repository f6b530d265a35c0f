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
    .task_age_max = 3s, .deadline = 5s, .wait_max = 1s, .patience_max = 2s};

TEST(TooShort, TheDefaultsAreEnoughForAnInferenceOfHalfASecond) {
  EXPECT_THAT(too_short(kDefaults, 500ms, 1), IsEmpty());
}

TEST(TooShort, NamesTheSettingItsValueWhatHappensAndAValueThatWouldDo) {
  EXPECT_THAT(
      too_short(kDefaults, 510ms, 1),
      ElementsAre(
          "broker.wait_max is 1000ms, but an inference takes 510ms: images would be refused "
          "though a stage is about to be free; 1100ms would do"));
}

TEST(TooShort, AStageThatHoldsSeveralTasksNeedsMoreTime) {
  EXPECT_THAT(too_short(kDefaults, 400ms, 4),
              ElementsAre(AllOf(HasSubstr("broker.task_age_max is 3000ms"), HasSubstr("3200ms")),
                          HasSubstr("broker.wait_max")));
}

TEST(TooShort, WhatItSuggestsIsEnough) {
  EXPECT_THAT(too_short(kDefaults, 2s, 1), SizeIs(4));
  const GrantedTimes more{.task_age_max = 4s, .deadline = 12s, .wait_max = 4s, .patience_max = 4s};
  EXPECT_THAT(too_short(more, 2s, 1), IsEmpty());
}

}  // namespace
}  // namespace stages
