#include "runtime/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using runtime::Guard;
using runtime::KeyName;
using runtime::Place;
using Denial = Guard::Denial;
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

class GuardTest : public testing::Test {
 protected:
  std::optional<Denial> judge(Place place, const KeyName& who, const wire::Message& message) {
    return guard.judge(place, &who, message);
  }
  bool may(Place place, const KeyName& who, const wire::Message& message) {
    const auto denial = judge(place, who, message);
    EXPECT_EQ(denial.value_or(Denial::wrong_kind), Denial::wrong_kind);
    return !denial;
  }

  Guard guard{{.ids_per_name_max = 3, .names_max = 2}};
};

TEST_F(GuardTest, HearsNobodyWhoseKeyIsNotAllowed) {
  EXPECT_EQ(guard.judge(Place::workers, nullptr, wire::Probe{}), Denial::stranger);
}

TEST_F(GuardTest, LetsProducersSubmitAndAskOnTheirLink) {
  EXPECT_TRUE(may(Place::producers, kProducer, producer(1)));
  EXPECT_TRUE(may(Place::producers, kProducer, wire::Submit{}));
  EXPECT_TRUE(may(Place::producers, kProducer, wire::Cancel{}));
  EXPECT_TRUE(may(Place::producers, kProducer, wire::Probe{}));
  EXPECT_FALSE(may(Place::producers, kProducer, hello(wire::Role::classifier)));
  EXPECT_FALSE(may(Place::producers, kProducer, wire::Settled{}));
}

TEST_F(GuardTest, LetsNoStageBeAProducer) {
  EXPECT_FALSE(may(Place::producers, kStage, producer(1)));
  EXPECT_FALSE(may(Place::producers, kStage, wire::Probe{}));
}

TEST_F(GuardTest, LetsAStageBeAClassifierOrAnAssemblerButNoSink) {
  EXPECT_TRUE(may(Place::workers, kStage, hello(wire::Role::classifier, 1)));
  EXPECT_TRUE(may(Place::workers, kStage, hello(wire::Role::assembler, 2)));
  EXPECT_TRUE(may(Place::workers, kStage, wire::Ready{}));
  EXPECT_FALSE(may(Place::workers, kStage, hello(wire::Role::sink)));
  EXPECT_FALSE(may(Place::workers, kStage, hello(wire::Role::collage)));
  EXPECT_FALSE(may(Place::workers, kStage, wire::Settled{}));
  EXPECT_FALSE(may(Place::workers, kStage, wire::Corrected{}));
  EXPECT_FALSE(may(Place::workers, kStage, wire::Service{}));
}

TEST_F(GuardTest, LetsASinkSettleButDoNoWork) {
  EXPECT_TRUE(may(Place::workers, kSink, hello(wire::Role::sink)));
  EXPECT_TRUE(may(Place::workers, kSink, wire::Ready{}));
  EXPECT_TRUE(may(Place::workers, kSink, wire::Settled{}));
  EXPECT_TRUE(may(Place::workers, kSink, wire::Corrected{}));
  EXPECT_TRUE(may(Place::workers, kSink, wire::Service{}));
  EXPECT_FALSE(may(Place::workers, kSink, hello(wire::Role::classifier)));
}

TEST_F(GuardTest, LetsStagesAnswerAndProducersOnlyAskTheSink) {
  EXPECT_TRUE(may(Place::answers, kStage, answer(1)));
  EXPECT_TRUE(may(Place::answers, kStage, wire::CollageAnswer{}));
  EXPECT_TRUE(may(Place::answers, kProducer, wire::Probe{}));
  EXPECT_FALSE(may(Place::answers, kProducer, answer(2)));
  EXPECT_FALSE(may(Place::answers, kSink, wire::Probe{}));
}

TEST_F(GuardTest, LetsOnlyCollageCnnsSpeakToAnAssembler) {
  EXPECT_TRUE(may(Place::collage, kStage, hello(wire::Role::collage)));
  EXPECT_TRUE(may(Place::collage, kStage, wire::Ready{}));
  EXPECT_FALSE(may(Place::collage, kStage, hello(wire::Role::classifier)));
  EXPECT_FALSE(may(Place::collage, kProducer, wire::Probe{}));
}

TEST_F(GuardTest, HearsWhatCannotBeDecodedOfThoseItKnows) {
  EXPECT_TRUE(may(Place::workers, kStage, wire::Undecodable{wire::Reason::wrong_protocol}));
  EXPECT_FALSE(may(Place::workers, kProducer, wire::Undecodable{wire::Reason::wrong_protocol}));
}

TEST_F(GuardTest, AnIdBelongsToTheNameThatSaidItFirst) {
  EXPECT_EQ(judge(Place::workers, kStage, hello(wire::Role::classifier, 7)), std::nullopt);
  EXPECT_EQ(judge(Place::workers, kOtherStage, hello(wire::Role::classifier, 7)),
            Denial::foreign_id);
  EXPECT_EQ(judge(Place::workers, kStage, hello(wire::Role::classifier, 7)), std::nullopt);
}

TEST_F(GuardTest, AnAnswerInAnothersNameIsDenied) {
  EXPECT_EQ(judge(Place::answers, kStage, answer(7)), std::nullopt);
  EXPECT_EQ(judge(Place::answers, kOtherStage, answer(7)), Denial::foreign_id);
  wire::CollageAnswer collage;
  collage.worker = {7, 0};
  EXPECT_EQ(judge(Place::answers, kOtherStage, collage), Denial::foreign_id);
}

TEST_F(GuardTest, AProducerMayNotHaveAnothersResults) {
  const KeyName other{Role::producer, "p2"};
  EXPECT_EQ(judge(Place::producers, kProducer, producer(7)), std::nullopt);
  EXPECT_EQ(judge(Place::producers, other, producer(7)), Denial::foreign_id);
}

TEST_F(GuardTest, WhatIsDeniedClaimsNothing) {
  EXPECT_EQ(judge(Place::workers, kStage, hello(wire::Role::sink, 7)), Denial::wrong_kind);
  EXPECT_EQ(judge(Place::workers, kSink, hello(wire::Role::sink, 7)), std::nullopt);
}

TEST_F(GuardTest, AtIdsPerNameMaxTheOneUnsaidForLongestIsForgotten) {
  for (const std::uint64_t id : {1, 2, 3, 1, 4}) {
    EXPECT_EQ(judge(Place::answers, kStage, answer(id)), std::nullopt);
  }
  EXPECT_EQ(judge(Place::answers, kOtherStage, answer(1)), Denial::foreign_id);
  EXPECT_EQ(judge(Place::answers, kOtherStage, answer(2)), std::nullopt);
}

TEST_F(GuardTest, AFloodOfIdsPushesOutNoneOfAnotherName) {
  EXPECT_EQ(judge(Place::answers, kStage, answer(1)), std::nullopt);
  for (std::uint64_t id = 100; id < 200; ++id) {
    EXPECT_EQ(judge(Place::answers, kOtherStage, answer(id)), std::nullopt);
  }
  EXPECT_EQ(judge(Place::answers, kOtherStage, answer(1)), Denial::foreign_id);
}

TEST_F(GuardTest, AtNamesMaxTheOneSilentForLongestIsForgotten) {
  const KeyName third{Role::stage, "h3"};
  EXPECT_EQ(judge(Place::answers, kStage, answer(1)), std::nullopt);
  EXPECT_EQ(judge(Place::answers, kOtherStage, answer(2)), std::nullopt);
  EXPECT_EQ(judge(Place::answers, kStage, answer(1)), std::nullopt);
  EXPECT_EQ(judge(Place::answers, third, answer(3)), std::nullopt);
  EXPECT_EQ(judge(Place::answers, third, answer(1)), Denial::foreign_id);
  EXPECT_EQ(judge(Place::answers, third, answer(2)), std::nullopt);
}

}  // namespace
