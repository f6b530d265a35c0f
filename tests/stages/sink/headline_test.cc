#include "stages/sink/headline.h"

#include <gmock/gmock.h>

#include "tests/values.h"

namespace stages::sink {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Level = Headline::Level;
using wire::Role;
using wire::WorkerState;

class HeadlineTest : public testing::Test {
 protected:
  HeadlineTest() {
    add(Role::classifier, WorkerState::ready, 0);
    add(Role::classifier, WorkerState::idle, 1);
    add(Role::assembler, WorkerState::ready, 0);
  }
  void add(Role role, WorkerState state, std::uint32_t index, const std::string& host = "a2") {
    wire::WorkerReport report;
    report.worker = {0x1a2b3c4d00000000, workers.size()};
    report.role = role;
    report.state = state;
    report.location = {host, "", index, 1};
    workers.push_back(report);
  }
  Headline line(wire::Duration now = 1s, bool joined = true) {
    BrokerView view(99);
    const auto total = static_cast<std::uint32_t>(workers.size());
    view.on_workers({0, total, workers}, at(1s));
    view.on_status({{{"overloaded", overloaded ? 1u : 0u}}}, at(1s));
    return headline(view, recent, joined, 500ms, at(now));
  }

  std::vector<wire::WorkerReport> workers;
  History::Counts recent;
  bool overloaded = false;
};

TEST_F(HeadlineTest, SaysOkWithWhatThereIs) {
  EXPECT_EQ(line().level, Level::ok);
  EXPECT_THAT(line().reasons,
              ElementsAre("2 s-CNN stages and 1 collage stage, no images in the last minute"));
  recent.single = 1234567;
  EXPECT_EQ(line().level, Level::ok);
  EXPECT_THAT(
      line().reasons,
      ElementsAre("2 s-CNN stages and 1 collage stage, 1,234,567 answers in the last minute, none "
                  "missing, none refused"));
}

TEST_F(HeadlineTest, SaysDegradedWithMissingAndRefused) {
  recent = {.single = 900, .missing = 3, .refused = 97};
  EXPECT_EQ(line().level, Level::degraded);
  EXPECT_THAT(line().reasons, ElementsAre("3 missing in the last minute (0.3 %)",
                                          "97 refused in the last minute (9.7 %)"));
}

TEST_F(HeadlineTest, AShareThatRoundsToNothingIsNotNothing) {
  recent = {.single = 100'000, .missing = 1};
  EXPECT_THAT(line().reasons, ElementsAre("1 missing in the last minute (under 0.1 %)"));
}

TEST_F(HeadlineTest, NamesStagesThatAreSlowOrLost) {
  add(Role::classifier, WorkerState::probation, 3);
  add(Role::classifier, WorkerState::suspect, 4, "");
  add(Role::assembler, WorkerState::lost, 1);
  EXPECT_EQ(line().level, Level::degraded);
  EXPECT_THAT(line().reasons, ElementsAre("1 lost: collage stage 1 on a2",
                                          "2 slow: s-CNN 3 on a2, s-CNN 1a2b3c4d"));
}

TEST_F(HeadlineTest, NamesThreeOfMany) {
  for (std::uint32_t i = 0; i < 4; ++i) add(Role::classifier, WorkerState::lost, i, "a3");
  EXPECT_THAT(line().reasons,
              ElementsAre("4 lost: s-CNN 0 on a3, s-CNN 1 on a3, s-CNN 2 on a3 and more"));
}

TEST_F(HeadlineTest, SaysThatNothingIsAnsweredWithoutClassifiers) {
  workers.clear();
  EXPECT_EQ(line().level, Level::degraded);
  EXPECT_THAT(line().reasons, ElementsAre(HasSubstr("no s-CNN stage has joined")));
}

TEST_F(HeadlineTest, AStageThatLeavesServesNoMore) {
  workers.clear();
  add(Role::classifier, WorkerState::leaving, 0);
  EXPECT_THAT(line().reasons, ElementsAre("no s-CNN stage has joined: nothing is answered"));
}

TEST_F(HeadlineTest, SaysWhenBatchesGoWithoutCoverThoughThereIsACollageStage) {
  recent = {.single = 90, .batches = 10, .uncovered = 5};
  EXPECT_EQ(line().level, Level::degraded);
  EXPECT_THAT(line().reasons, ElementsAre(HasSubstr("50.0 % of the batches without cover")));
  workers.pop_back();  // Policy none, or a pipeline without collage stages.
  EXPECT_EQ(line().level, Level::ok);
}

TEST_F(HeadlineTest, AFewBatchesWithoutCoverAreNoDefectAndUnderOverloadNoneIs) {
  recent = {.single = 90, .batches = 10, .uncovered = 2};
  EXPECT_EQ(line().level, Level::ok);
  recent.uncovered = 9;
  overloaded = true;
  EXPECT_THAT(line().reasons, ElementsAre(HasSubstr("more images come")));
}

TEST_F(HeadlineTest, SaysOverloadedWithTheSharesOfRefusedAndOfCollagesAlone) {
  overloaded = true;
  recent = {.single = 300, .collage = 500, .brownout = 400, .refused = 200};
  EXPECT_EQ(line().level, Level::overloaded);
  EXPECT_THAT(line().reasons,
              ElementsAre("more images come than the s-CNNs can do: in the last minute 20.0 % "
                          "refused, 40.0 % answered from collages alone (brownout)"));
}

TEST_F(HeadlineTest, SaysUnderOverloadWhatElseIsWrong) {
  overloaded = true;
  recent = {.single = 300, .missing = 2};
  add(Role::classifier, WorkerState::lost, 7);
  EXPECT_EQ(line().level, Level::overloaded);
  EXPECT_THAT(line().reasons, ElementsAre(HasSubstr("none refused"), "1 lost: s-CNN 7 on a2",
                                          "2 missing in the last minute"));
}

TEST_F(HeadlineTest, SaysWhenTheBrokerIsGoneOrSilent) {
  EXPECT_EQ(line(1s, false).level, Level::no_broker);
  EXPECT_EQ(line(6s).level, Level::ok);
  EXPECT_EQ(line(7s).level, Level::no_broker);
  EXPECT_THAT(line(7s).reasons, ElementsAre(HasSubstr("silent for 6 s")));
}

TEST(Headline, ABrokerThatHasNotReportedYetIsNone) {
  EXPECT_EQ(headline(BrokerView(9), {}, true, 500ms, at(1s)).level, Level::no_broker);
}

TEST(Headline, ABrokerWithRareHeartbeatsIsNotSilent) {
  BrokerView view(9);
  view.on_status({}, at(0s));
  EXPECT_NE(headline(view, {}, true, 2s, at(19s)).level, Level::no_broker);
  EXPECT_EQ(headline(view, {}, true, 2s, at(21s)).level, Level::no_broker);
}

TEST(Urgency, PutsTheWorstFirst) {
  EXPECT_GT(urgency(WorkerState::lost), urgency(WorkerState::probation));
  EXPECT_GT(urgency(WorkerState::probation), urgency(WorkerState::suspect));
  EXPECT_GT(urgency(WorkerState::suspect), urgency(WorkerState::leaving));
  EXPECT_GT(urgency(WorkerState::leaving), urgency(WorkerState::ready));
  EXPECT_EQ(urgency(WorkerState::idle), urgency(WorkerState::ready));
}

}  // namespace
}  // namespace stages::sink
