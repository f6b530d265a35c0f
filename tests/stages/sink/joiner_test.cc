#include "stages/sink/joiner.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;
using wire::Reason;
using wire::Source;

constexpr wire::Duration kSingleService = 40ms, kCollageService = 15ms;

// Two slots a batch, 250 ms of patience, a gate at one half.  Labels: 0 says nothing.
class JoinerTest : public testing::Test {
 protected:
  JoinerTest() {
    joiner.on_epoch(kEpoch, 1s);
    joiner.set_patience(250ms);
  }
  std::string open(std::uint64_t n, wire::Duration t = 0ms, wire::Duration age = 0ms) {
    return text(joiner.on_opened({batch(n), 2, age, true}, at(t)));
  }
  std::string seal(std::uint64_t n, std::vector<wire::Duration> ages, wire::Duration t = 0ms) {
    return text(joiner.on_sealed({batch(n), std::move(ages)}, at(t)));
  }
  std::string single(std::uint64_t n, wire::Slot slot, std::uint64_t label, bool hedge = false) {
    const wire::Verdict verdict{{{{label}, 0.9f}}, Reason::none};
    return text(
        joiner.on_single({batch(n), slot, {1, 1}, hedge, {}, {}, verdict, "s1", kSingleService}));
  }
  std::string reject(std::uint64_t n, wire::Slot slot) {
    return text(joiner.on_single(
        {batch(n), slot, {1, 1}, false, {}, {}, {{}, Reason::not_an_image}, {}, kSingleService}));
  }
  std::string collage(std::uint64_t n, std::vector<std::uint64_t> labels, wire::Duration t,
                      float probability = 0.8f) {
    wire::CollageAnswer answer;
    answer.batch = batch(n);
    answer.version = "c1";
    answer.service = kCollageService;
    for (const std::uint64_t label : labels) {
      answer.cells.push_back(label == 0 ? wire::Predictions{}
                                        : wire::Predictions{{{label}, probability}});
    }
    return text(joiner.on_collage(std::move(answer), at(t)));
  }
  std::string time(wire::Duration t) { return text(joiner.on_timeout(at(t))); }

  // "batch/slot source label" of each, by commas.
  static std::string text(const Joiner::Settled& settled) {
    std::string out;
    for (const wire::SlotSettled& one : settled) {
      if (!out.empty()) out += ", ";
      out += std::to_string(one.batch.sequence.value) + "/" + std::to_string(one.slot) + " ";
      out += one.verdict.reason == Reason::none
                 ? std::string(to_string(one.source)) + " " +
                       std::to_string(one.verdict.predictions.at(0).label.value)
                 : std::string(to_string(one.verdict.reason));
    }
    return out;
  }

  // A disagreement is marked by a '!'.
  static std::string text(const Joiner::Single& single) {
    if (!single.disagreement) return text(single.settled);
    const wire::Disagreement& one = *single.disagreement;
    return text(single.settled) + "! " + std::to_string(one.batch.sequence.value) + "/" +
           std::to_string(one.slot) + " " + std::string(to_string(one.source)) + " " +
           std::to_string(one.predictions.at(0).label.value);
  }

  Joiner joiner{{.open_batch_max = 2, .orphan_max = 2, .gate = 0.5f, .classes = 100}};
};

TEST_F(JoinerTest, ASingleAnswerIsHandedOnTheMomentItComes) {
  open(1);
  EXPECT_EQ(single(1, 0, 5), "1/0 single 5");
  EXPECT_EQ(single(1, 1, 6, true), "1/1 hedge 6");
  EXPECT_EQ(joiner.counters().single, 1u);
  EXPECT_EQ(joiner.counters().hedge, 1u);
}

TEST_F(JoinerTest, WhatIsChosenIsKeptUntilTheBrokerHasSettledTheBatch) {
  open(1);
  seal(1, {0ms, 0ms});
  single(1, 0, 5);
  collage(1, {7, 8}, 250ms);
  EXPECT_EQ(text(joiner.chosen(batch(1))), "1/0 single 5, 1/1 collage 8");
  EXPECT_EQ(text(joiner.chosen(batch(2))), "");
  joiner.on_batch_settled(batch(1));
  EXPECT_EQ(text(joiner.chosen(batch(1))), "");
}

TEST_F(JoinerTest, TheAnswersVersionAndProbabilityGoAlong) {
  open(1);
  const wire::Verdict verdict{{{{5}, 0.9f}, {{4}, 0.1f}}, Reason::none};
  const auto settled =
      joiner.on_single({batch(1), 0, {1, 1}, false, {}, {}, verdict, "s1"}).settled;
  ASSERT_THAT(settled, SizeIs(1));
  EXPECT_EQ(settled[0].version, "s1");
  EXPECT_THAT(settled[0].verdict.predictions, SizeIs(2));
}

TEST_F(JoinerTest, ACollageStandsInForAStragglerOnceItsPatienceIsOver) {
  open(1);
  seal(1, {0ms, 0ms});
  single(1, 0, 5);
  EXPECT_EQ(collage(1, {7, 8}, 120ms), "");
  EXPECT_EQ(joiner.next_timeout(), at(250ms));
  EXPECT_EQ(time(249ms), "");
  EXPECT_EQ(time(250ms), "1/1 collage 8");
  EXPECT_EQ(single(1, 1, 8), "");
  EXPECT_EQ(joiner.counters().collage, 1u);
  EXPECT_EQ(joiner.counters().late_single, 1u);
  EXPECT_EQ(joiner.counters().spare_collage, 1u);
}

TEST_F(JoinerTest, ACollageAfterPatienceSettlesAtOnce) {
  open(1);
  seal(1, {0ms, 0ms});
  EXPECT_EQ(collage(1, {7, 8}, 300ms), "1/0 collage 7, 1/1 collage 8");
}

TEST_F(JoinerTest, ALateSingleAnswerThatContradictsTheCollageCorrectsItOnce) {
  open(1);
  seal(1, {0ms, 0ms});
  collage(1, {7, 8}, 300ms);
  EXPECT_EQ(single(1, 1, 6), "! 1/1 single 6");
  EXPECT_EQ(single(1, 1, 6), "");
  EXPECT_EQ(single(1, 0, 5, true), "! 1/0 hedge 5");
  EXPECT_EQ(joiner.counters().disagreements, 2u);
  EXPECT_EQ(joiner.counters().late_single, 3u);
  EXPECT_EQ(joiner.agreements().at("c1").disagreements, 2u);
}

TEST_F(JoinerTest, TheFirstLateAnswerHasTheSay) {
  open(1);
  seal(1, {0ms});
  collage(1, {7, 0}, 300ms);
  EXPECT_EQ(single(1, 0, 7), "");
  EXPECT_EQ(single(1, 0, 5, true), "");
  EXPECT_EQ(joiner.counters().disagreements, 0u);
  EXPECT_EQ(joiner.agreements().at("c1").compared, 1u);
  EXPECT_EQ(joiner.agreements().at("c1").disagreements, 0u);
}

TEST_F(JoinerTest, ASettledBatchIsComparedAsLongAsItIsRemembered) {
  open(1);
  seal(1, {0ms, 0ms});
  collage(1, {7, 8}, 300ms);
  joiner.on_batch_settled(batch(1));
  EXPECT_EQ(single(1, 0, 5), "! 1/0 single 5");
  for (std::uint64_t n = 2; n <= 3; ++n) {
    open(n);
    joiner.on_batch_settled(batch(n));
  }
  EXPECT_EQ(single(1, 1, 6), "");
  EXPECT_EQ(joiner.orphans(), 1u);
}

TEST_F(JoinerTest, OnlyWhatTheCollageSettledIsCompared) {
  open(1);
  seal(1, {0ms});
  single(1, 0, 5);
  collage(1, {7, 8}, 300ms);
  EXPECT_EQ(single(1, 0, 6), "");  // A single answer's slot.
  joiner.on_batch_settled(batch(1));
  EXPECT_EQ(single(1, 1, 6), "");  // A blank one.
  open(2);
  seal(2, {0ms, 0ms}, 300ms);
  joiner.on_batch_settled(batch(2));
  collage(2, {7, 8}, 600ms);
  EXPECT_EQ(single(2, 0, 6), "");  // Settled by the broker.
}

TEST_F(JoinerTest, ARejectionOrNonsenseCorrectsNothing) {
  open(1);
  seal(1, {0ms});
  collage(1, {7, 0}, 300ms);
  EXPECT_EQ(reject(1, 0), "");
  EXPECT_EQ(single(1, 0, 100), "");
  EXPECT_EQ(single(1, 0, 5), "! 1/0 single 5");
}

TEST_F(JoinerTest, AnotherLifeOfTheBrokerForgetsWhatTheCollageSettled) {
  open(1);
  seal(1, {0ms});
  collage(1, {7, 0}, 300ms);
  joiner.on_epoch(kOtherEpoch, 1s);
  EXPECT_EQ(single(1, 0, 5), "");
}

TEST_F(JoinerTest, PatienceRunsFromEachSlotsOwnAdmission) {
  open(1);
  seal(1, {40ms, 10ms}, 40ms);
  collage(1, {7, 8}, 100ms);
  EXPECT_EQ(time(250ms), "1/0 collage 7");
  EXPECT_EQ(time(279ms), "");
  EXPECT_EQ(time(280ms), "1/1 collage 8");
}

TEST_F(JoinerTest, ACollageThatComesBeforeTheSealWaitsForIt) {
  open(1);
  EXPECT_EQ(collage(1, {7, 8}, 300ms), "");
  EXPECT_EQ(seal(1, {400ms, 100ms}, 400ms), "1/0 collage 7");
  EXPECT_EQ(time(550ms), "1/1 collage 8");
}

TEST_F(JoinerTest, ASingleAnswerInTimeSparesTheCollage) {
  open(1);
  seal(1, {0ms, 0ms});
  collage(1, {7, 8}, 100ms);
  EXPECT_EQ(single(1, 0, 5), "1/0 single 5");
  EXPECT_EQ(time(250ms), "1/1 collage 8");
  EXPECT_EQ(joiner.counters().spare_collage, 1u);
}

TEST_F(JoinerTest, AHedgeMayBeatTheStraggler) {
  open(1);
  EXPECT_EQ(single(1, 0, 5, true), "1/0 hedge 5");
  EXPECT_EQ(single(1, 0, 5), "");
  EXPECT_EQ(joiner.counters().late_single, 1u);
}

TEST_F(JoinerTest, ABlankSlotIsNeverAnsweredByTheCollage) {
  open(1);
  seal(1, {0ms});
  EXPECT_EQ(collage(1, {7, 8}, 300ms), "1/0 collage 7");
  EXPECT_EQ(time(900ms), "");
}

TEST_F(JoinerTest, AnEmptyCellIsNoAnswer) {
  open(1);
  seal(1, {0ms, 0ms});
  EXPECT_EQ(collage(1, {0, 8}, 300ms), "1/1 collage 8");
  EXPECT_EQ(single(1, 0, 5), "1/0 single 5");
}

TEST_F(JoinerTest, ACollageBelowTheGateWaitsForTheSingle) {
  open(1);
  seal(1, {0ms, 0ms});
  EXPECT_EQ(collage(1, {7, 8}, 300ms, 0.49f), "");
  EXPECT_EQ(joiner.counters().unsure, 2u);
  EXPECT_EQ(time(900ms), "");
  EXPECT_EQ(single(1, 0, 5), "1/0 single 5");
}

TEST_F(JoinerTest, ARejectedImageIsSettledOnceAndIsNoStraggler) {
  open(1);
  EXPECT_EQ(reject(1, 0), "1/0 not_an_image");
  EXPECT_EQ(reject(1, 0), "");  // Stage and assembler both say so.
  EXPECT_EQ(joiner.counters().rejected, 1u);
  EXPECT_EQ(joiner.counters().late_single, 0u);
}

TEST_F(JoinerTest, ASecondCollageIsSpare) {
  open(1);
  seal(1, {0ms, 0ms});
  collage(1, {7, 8}, 100ms);
  EXPECT_EQ(collage(1, {3, 3}, 110ms), "");
  EXPECT_EQ(joiner.counters().spare_collage, 1u);
  EXPECT_EQ(time(250ms), "1/0 collage 7, 1/1 collage 8");
}

TEST_F(JoinerTest, WhatDoesNotFitItsBatchIsDropped) {
  open(1);
  EXPECT_EQ(single(1, 2, 5), "");
  EXPECT_EQ(collage(1, {7}, 10ms), "");
  EXPECT_EQ(text(joiner.on_single({batch(1), 0, {}, false, {}, {}, {{}, Reason::none}, {}})), "");
  EXPECT_EQ(seal(1, {0ms, 0ms, 0ms}), "");
  EXPECT_EQ(text(joiner.on_opened({batch(2), 0, {}, true}, at(0ms))), "");
  EXPECT_EQ(text(joiner.on_opened({batch(2), wire::kSlotsMax + 1, {}, true}, at(0ms))), "");
  EXPECT_EQ(joiner.counters().bad, 6u);
  EXPECT_EQ(joiner.open_batches(), 1u);
}

TEST_F(JoinerTest, ABatchOpenedTwiceStaysAsItIs) {
  open(1);
  single(1, 0, 5);
  EXPECT_EQ(open(1), "");
  seal(1, {0ms, 0ms});
  EXPECT_EQ(seal(1, {900ms, 900ms}), "");
  EXPECT_EQ(single(1, 0, 5), "");
  collage(1, {7, 8}, 100ms);
  EXPECT_EQ(joiner.next_timeout(), at(250ms));
}

TEST_F(JoinerTest, AnAnswerThatOvertakesItsBatchIsKeptForIt) {
  EXPECT_EQ(single(1, 0, 5), "");
  EXPECT_EQ(collage(1, {7, 8}, 10ms), "");
  EXPECT_EQ(joiner.orphans(), 2u);
  EXPECT_EQ(open(2), "");
  EXPECT_EQ(open(1), "1/0 single 5");
  EXPECT_EQ(joiner.orphans(), 0u);
  EXPECT_EQ(seal(1, {300ms, 300ms}, 300ms), "1/1 collage 8");
}

TEST_F(JoinerTest, AtOrphanMaxTheOldestOrphanGivesWay) {
  single(1, 0, 5);
  single(1, 1, 6);
  single(2, 0, 7);
  EXPECT_EQ(joiner.orphans(), 2u);
  EXPECT_EQ(joiner.counters().orphans_dropped, 1u);
  EXPECT_EQ(open(1), "1/1 single 6");
}

TEST_F(JoinerTest, AtOpenBatchMaxABatchIsNotTakenIn) {
  open(1);
  open(2);
  open(3);
  EXPECT_EQ(joiner.counters().batches_refused, 1u);
  EXPECT_EQ(joiner.open_batches(), 2u);
  joiner.on_batch_settled(batch(1));
  open(3);
  EXPECT_EQ(joiner.open_batches(), 2u);
  EXPECT_EQ(joiner.counters().batches_refused, 1u);
}

TEST_F(JoinerTest, AnswersToASettledBatchAreLateAndNotOrphans) {
  open(1);
  seal(1, {0ms, 0ms});
  joiner.on_batch_settled(batch(1));
  joiner.on_batch_settled(batch(1));
  EXPECT_EQ(joiner.open_batches(), 0u);
  EXPECT_EQ(single(1, 0, 5), "");
  EXPECT_EQ(collage(1, {7, 8}, 300ms), "");
  EXPECT_EQ(joiner.counters().late_single, 1u);
  EXPECT_EQ(joiner.counters().spare_collage, 1u);
  EXPECT_EQ(joiner.orphans(), 0u);
}

TEST_F(JoinerTest, BatchSettledEndsPatience) {
  open(1);
  seal(1, {0ms, 0ms});
  collage(1, {7, 8}, 100ms);
  joiner.on_batch_settled(batch(1));
  EXPECT_EQ(time(250ms), "");
  EXPECT_EQ(joiner.counters().spare_collage, 2u);
}

TEST_F(JoinerTest, SettledBatchesAreRememberedForAWhileOnly) {
  for (std::uint64_t n = 1; n <= 4; ++n) {
    open(n);
    joiner.on_batch_settled(batch(n));
  }
  EXPECT_EQ(single(4, 0, 5), "");
  EXPECT_EQ(joiner.counters().late_single, 1u);
  EXPECT_EQ(single(1, 0, 5), "");  // Forgotten by now.
  EXPECT_EQ(joiner.orphans(), 1u);
}

TEST_F(JoinerTest, ABatchThatIsNeverSettledExpires) {
  open(1, 100ms, 100ms);
  EXPECT_EQ(joiner.next_timeout(), at(1s));
  time(999ms);
  EXPECT_EQ(joiner.open_batches(), 1u);
  time(1s);
  EXPECT_EQ(joiner.open_batches(), 0u);
  EXPECT_EQ(joiner.counters().batches_expired, 1u);
  EXPECT_EQ(joiner.next_timeout(), std::nullopt);
}

TEST_F(JoinerTest, ABatchDoesNotExpireBeforeTheDeadlineOfAnImageThatCameWhileItLingered) {
  open(1);
  seal(1, {800ms, 0ms}, 800ms);
  time(1200ms);
  EXPECT_EQ(single(1, 1, 5), "1/1 single 5");
  time(1799ms);
  EXPECT_EQ(joiner.open_batches(), 1u);
  EXPECT_EQ(joiner.next_timeout(), at(1800ms));
  time(1800ms);
  EXPECT_EQ(joiner.counters().batches_expired, 1u);
}

TEST_F(JoinerTest, AnotherEpochVoidsAllThatIsHeld) {
  open(1);
  seal(1, {0ms, 0ms});
  collage(1, {7, 8}, 100ms);
  single(5, 0, 5);
  joiner.on_epoch(kOtherEpoch, 1s);
  EXPECT_EQ(joiner.open_batches(), 0u);
  EXPECT_EQ(joiner.orphans(), 0u);
  EXPECT_EQ(joiner.next_timeout(), std::nullopt);
  EXPECT_EQ(single(1, 0, 5), "");
  EXPECT_EQ(collage(1, {7, 8}, 300ms), "");
  EXPECT_EQ(open(1), "");
  EXPECT_EQ(joiner.counters().stale, 3u);
  EXPECT_EQ(joiner.open_batches(), 0u);
}

TEST_F(JoinerTest, OrphansOfTheNewEpochSurviveItsWelcome) {
  (void)joiner.on_epoch(kOtherEpoch, 1s);
  Joiner fresh{{.open_batch_max = 2, .orphan_max = 2, .gate = 0.5f, .classes = 100}};
  (void)fresh.on_single({batch(1), 0, {}, false, {}, {}, {{{{5}, 0.9f}}, Reason::none}, {}});
  (void)fresh.on_single({batch(1, kOtherEpoch), 0, {}, false, {}, {}, {{{{6}, 0.9f}}, {}}, {}});
  fresh.on_epoch(kEpoch, 1s);
  EXPECT_EQ(fresh.orphans(), 1u);
  EXPECT_EQ(text(fresh.on_opened({batch(1), 2, {}, true}, at(0ms))), "1/0 single 5");
}

TEST_F(JoinerTest, AnswersOfABrokerThatTheStagesJoinedBeforeWeDidWaitForItsWelcome) {
  open(1);
  (void)joiner.on_single({batch(1, kOtherEpoch), 0, {}, false, {}, {}, {{{{6}, 0.9f}}, {}}, {}});
  EXPECT_EQ(joiner.counters().stale, 0u);
  joiner.on_epoch(kOtherEpoch, 1s);
  EXPECT_EQ(text(joiner.on_opened({batch(1, kOtherEpoch), 2, {}, true}, at(0ms))), "1/0 single 6");
}

TEST_F(JoinerTest, NonsenseIsNoAnswerAndLeavesItsSlotToOthers) {
  open(1);
  seal(1, {0ms, 0ms});
  EXPECT_EQ(single(1, 0, 100), "");  // There are classes 0 to 99.
  const float no_number = std::nanf("");
  for (const float probability : {no_number, -0.1f, 1.1f}) {
    EXPECT_EQ(
        text(joiner.on_single({batch(1), 0, {}, false, {}, {}, {{{{5}, probability}}, {}}, {}})),
        "");
  }
  EXPECT_EQ(joiner.counters().bad, 4u);
  EXPECT_EQ(collage(1, {7, 100}, 260ms), "1/0 collage 7");
  EXPECT_EQ(joiner.counters().bad, 5u);
  EXPECT_EQ(single(1, 1, 99), "1/1 single 99");
  open(2);
  seal(2, {0ms, 0ms});
  EXPECT_EQ(collage(2, {7, 8}, 270ms, no_number), "");
  EXPECT_EQ(joiner.counters().bad, 7u);
}

TEST_F(JoinerTest, APatienceLearnedLaterHoldsForLaterAnswersOnly) {
  open(1);
  seal(1, {0ms, 0ms});
  collage(1, {7, 8}, 10ms);
  joiner.set_patience(100ms);
  open(2);
  seal(2, {0ms, 0ms});
  collage(2, {3, 4}, 20ms);
  EXPECT_EQ(time(100ms), "2/0 collage 3, 2/1 collage 4");
  EXPECT_EQ(time(250ms), "1/0 collage 7, 1/1 collage 8");
}

TEST_F(JoinerTest, ACollageIsUsedAtOnceWhereNoSingleWasAskedFor) {
  open(1);
  EXPECT_EQ(text(joiner.on_sealed({batch(1), {0ms, 0ms}, true}, at(0ms))), "");
  EXPECT_EQ(single(1, 1, 5), "1/1 single 5");  // A late one's s-CNN may be first.
  EXPECT_EQ(collage(1, {7, 8}, 10ms), "1/0 collage 7");
  EXPECT_EQ(joiner.counters().spare_collage, 1u);
  open(2);
  EXPECT_EQ(collage(2, {7, 8}, 20ms), "");  // It overtakes the seal.
  EXPECT_EQ(text(joiner.on_sealed({batch(2), {0ms, 0ms}, true}, at(20ms))),
            "2/0 collage 7, 2/1 collage 8");
}

TEST_F(JoinerTest, TheGateHoldsForACollageAlone) {
  open(1);
  (void)joiner.on_sealed({batch(1), {0ms, 0ms}, true}, at(0ms));
  EXPECT_EQ(collage(1, {7, 8}, 10ms, 0.49f), "");
  EXPECT_EQ(joiner.counters().unsure, 2u);
}

TEST_F(JoinerTest, ASingleAnswerThatSettlesNothingIsWastedTime) {
  open(1);
  single(1, 0, 5);
  EXPECT_EQ(joiner.counters().wasted_single, 0ms);
  single(1, 0, 5, true);
  reject(1, 0);
  EXPECT_EQ(joiner.counters().wasted_single, 2 * kSingleService);
  EXPECT_EQ(joiner.counters().wasted_collage, 0ms);
}

TEST_F(JoinerTest, ACollageThatSettlesNothingIsWastedTime) {
  for (std::uint64_t n = 1; n <= 2; ++n) {
    open(n);
    seal(n, {0ms, 0ms});
  }
  collage(1, {7, 8}, 300ms);
  joiner.on_batch_settled(batch(1));
  EXPECT_EQ(joiner.counters().wasted_collage, 0ms);
  collage(1, {7, 8}, 310ms);  // After its batch.
  EXPECT_EQ(joiner.counters().wasted_collage, kCollageService);
  collage(2, {7, 8}, 100ms);
  single(2, 0, 5);
  single(2, 1, 6);
  EXPECT_EQ(joiner.counters().wasted_collage, kCollageService);
  joiner.on_batch_settled(batch(2));
  EXPECT_EQ(joiner.counters().wasted_collage, 2 * kCollageService);
}

}  // namespace
}  // namespace stages::sink
