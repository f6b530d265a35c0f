#include "runtime/security/access_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using runtime::AccessControl;
using runtime::KeyName;
using runtime::LinkName;
using Denial = AccessControl::Denial;
using Role = KeyName::Role;

const KeyName kProducer{Role::producer, "p1"};
const KeyName kStage{Role::stage, "h1"};
const KeyName kOtherStage{Role::stage, "h2"};
const KeyName kSink{Role::sink, "s1"};

wire::WorkerHello hello(wire::Role role, std::uint64_t worker = 1) {
  return {.worker = {worker, 0}, .role = role, .model = {}, .capacity = 1};
}
wire::ProducerHello producer(std::uint64_t id) { return {{id, 0}}; }
wire::Answer answer(std::uint64_t worker) {
  wire::Answer answer;
  answer.worker = {worker, 0};
  return answer;
}

class AccessControlTest : public testing::Test {
 protected:
  std::optional<Denial> check(LinkName link, const KeyName& who, const wire::Message& message) {
    return access.check(link, &who, message);
  }
  bool may(LinkName link, const KeyName& who, const wire::Message& message) {
    const auto denial = check(link, who, message);
    EXPECT_EQ(denial.value_or(Denial::wrong_kind), Denial::wrong_kind);
    return !denial;
  }

  AccessControl access{{.ids_per_name_max = 3, .names_max = 2}};
};

TEST_F(AccessControlTest, DeniesKeysThatAreNotAllowed) {
  EXPECT_EQ(access.check(LinkName::workers, nullptr, wire::StatusRequest{}), Denial::unknown_key);
}

TEST_F(AccessControlTest, LetsProducersSubmitAndAskOnTheirLink) {
  EXPECT_TRUE(may(LinkName::producers, kProducer, producer(1)));
  EXPECT_TRUE(may(LinkName::producers, kProducer, wire::Submit{}));
  EXPECT_TRUE(may(LinkName::producers, kProducer, wire::Cancel{}));
  EXPECT_TRUE(may(LinkName::producers, kProducer, wire::StatusRequest{}));
  EXPECT_FALSE(may(LinkName::producers, kProducer, hello(wire::Role::classifier)));
  EXPECT_FALSE(may(LinkName::producers, kProducer, wire::SlotSettled{}));
}

TEST_F(AccessControlTest, LetsNoStageBeAProducer) {
  EXPECT_FALSE(may(LinkName::producers, kStage, producer(1)));
  EXPECT_FALSE(may(LinkName::producers, kStage, wire::StatusRequest{}));
}

TEST_F(AccessControlTest, LetsAStageBeAClassifierOrAnAssemblerButNoSink) {
  EXPECT_TRUE(may(LinkName::workers, kStage, hello(wire::Role::classifier, 1)));
  EXPECT_TRUE(may(LinkName::workers, kStage, hello(wire::Role::assembler, 2)));
  EXPECT_TRUE(may(LinkName::workers, kStage, wire::Ready{}));
  EXPECT_FALSE(may(LinkName::workers, kStage, hello(wire::Role::sink)));
  EXPECT_FALSE(may(LinkName::workers, kStage, hello(wire::Role::collage)));
  EXPECT_FALSE(may(LinkName::workers, kStage, wire::SlotSettled{}));
  EXPECT_FALSE(may(LinkName::workers, kStage, wire::Disagreement{}));
  EXPECT_FALSE(may(LinkName::workers, kStage, wire::ServiceTimes{}));
}

TEST_F(AccessControlTest, LetsASinkSettleButDoNoWork) {
  EXPECT_TRUE(may(LinkName::workers, kSink, hello(wire::Role::sink)));
  EXPECT_TRUE(may(LinkName::workers, kSink, wire::Ready{}));
  EXPECT_TRUE(may(LinkName::workers, kSink, wire::SlotSettled{}));
  EXPECT_TRUE(may(LinkName::workers, kSink, wire::Disagreement{}));
  EXPECT_TRUE(may(LinkName::workers, kSink, wire::ServiceTimes{}));
  EXPECT_FALSE(may(LinkName::workers, kSink, hello(wire::Role::classifier)));
}

TEST_F(AccessControlTest, LetsStagesAnswerAndProducersOnlyAskTheSink) {
  EXPECT_TRUE(may(LinkName::answers, kStage, answer(1)));
  EXPECT_TRUE(may(LinkName::answers, kStage, wire::CollageAnswer{}));
  EXPECT_TRUE(may(LinkName::answers, kStage, wire::CollagePicture{}));
  EXPECT_FALSE(may(LinkName::answers, kProducer, wire::CollagePicture{}));
  EXPECT_FALSE(may(LinkName::workers, kStage, wire::WorkerStates{}));
  EXPECT_TRUE(may(LinkName::answers, kProducer, wire::StatusRequest{}));
  EXPECT_FALSE(may(LinkName::answers, kProducer, answer(2)));
  EXPECT_FALSE(may(LinkName::answers, kSink, wire::StatusRequest{}));
}

TEST_F(AccessControlTest, LetsOnlyCollageCnnsConnectToAnAssembler) {
  EXPECT_TRUE(may(LinkName::collage, kStage, hello(wire::Role::collage)));
  EXPECT_TRUE(may(LinkName::collage, kStage, wire::Ready{}));
  EXPECT_FALSE(may(LinkName::collage, kStage, hello(wire::Role::classifier)));
  EXPECT_FALSE(may(LinkName::collage, kProducer, wire::StatusRequest{}));
}

TEST_F(AccessControlTest, AcceptsWhatCannotBeDecodedFromAllowedKeys) {
  EXPECT_TRUE(may(LinkName::workers, kStage, wire::Undecodable{wire::Reason::wrong_protocol}));
  EXPECT_FALSE(may(LinkName::workers, kProducer, wire::Undecodable{wire::Reason::wrong_protocol}));
}

TEST_F(AccessControlTest, AnIdBelongsToTheNameThatUsedItFirst) {
  EXPECT_EQ(check(LinkName::workers, kStage, hello(wire::Role::classifier, 7)), std::nullopt);
  EXPECT_EQ(check(LinkName::workers, kOtherStage, hello(wire::Role::classifier, 7)),
            Denial::foreign_id);
  EXPECT_EQ(check(LinkName::workers, kStage, hello(wire::Role::classifier, 7)), std::nullopt);
}

TEST_F(AccessControlTest, AnAnswerInAnothersNameIsDenied) {
  EXPECT_EQ(check(LinkName::answers, kStage, answer(7)), std::nullopt);
  EXPECT_EQ(check(LinkName::answers, kOtherStage, answer(7)), Denial::foreign_id);
  wire::CollageAnswer collage;
  collage.worker = {7, 0};
  EXPECT_EQ(check(LinkName::answers, kOtherStage, collage), Denial::foreign_id);
}

TEST_F(AccessControlTest, AProducerMayNotHaveAnothersResults) {
  const KeyName other{Role::producer, "p2"};
  EXPECT_EQ(check(LinkName::producers, kProducer, producer(7)), std::nullopt);
  EXPECT_EQ(check(LinkName::producers, other, producer(7)), Denial::foreign_id);
}

TEST_F(AccessControlTest, WhatIsDeniedClaimsNothing) {
  EXPECT_EQ(check(LinkName::workers, kStage, hello(wire::Role::sink, 7)), Denial::wrong_kind);
  EXPECT_EQ(check(LinkName::workers, kSink, hello(wire::Role::sink, 7)), std::nullopt);
}

TEST_F(AccessControlTest, AtIdsPerNameMaxTheLeastRecentlyUsedIdIsForgotten) {
  for (const std::uint64_t id : {1, 2, 3, 1, 4}) {
    EXPECT_EQ(check(LinkName::answers, kStage, answer(id)), std::nullopt);
  }
  EXPECT_EQ(check(LinkName::answers, kOtherStage, answer(1)), Denial::foreign_id);
  EXPECT_EQ(check(LinkName::answers, kOtherStage, answer(2)), std::nullopt);
}

TEST_F(AccessControlTest, AFloodOfIdsDisplacesNoneOfAnotherName) {
  EXPECT_EQ(check(LinkName::answers, kStage, answer(1)), std::nullopt);
  for (std::uint64_t id = 100; id < 200; ++id) {
    EXPECT_EQ(check(LinkName::answers, kOtherStage, answer(id)), std::nullopt);
  }
  EXPECT_EQ(check(LinkName::answers, kOtherStage, answer(1)), Denial::foreign_id);
}

TEST_F(AccessControlTest, AtNamesMaxTheNameSilentForLongestIsForgotten) {
  const KeyName third{Role::stage, "h3"};
  EXPECT_EQ(check(LinkName::answers, kStage, answer(1)), std::nullopt);
  EXPECT_EQ(check(LinkName::answers, kOtherStage, answer(2)), std::nullopt);
  EXPECT_EQ(check(LinkName::answers, kStage, answer(1)), std::nullopt);
  EXPECT_EQ(check(LinkName::answers, third, answer(3)), std::nullopt);
  EXPECT_EQ(check(LinkName::answers, third, answer(1)), Denial::foreign_id);
  EXPECT_EQ(check(LinkName::answers, third, answer(2)), std::nullopt);
}

}  // namespace
