#include "replay/report/trace.h"

#include <gmock/gmock.h>

#include <sstream>

namespace replay::report {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kLogs =
    "2025-01-31 12:00:00.001 info    broker: up, collage 0.1.0\n"
    "2025-01-31 12:00:00.002 info    broker: step=admitted batch=aa:1 slot=0 age_ms=0.000 "
    "producer=p1 request=7\n"
    "2025-01-31 12:00:00.002 info    broker: step=admitted batch=aa:1 slot=1 age_ms=0.000 "
    "batch_age_ms=20.000 producer=p2 request=7\n"
    "2025-01-31 12:00:00.300 info    broker: step=answered batch=aa:1 slot=1 age_ms=250.500 "
    "producer=p2 request=7 source=collage\n"
    "2025-01-31 11:00:00.400 info    classifier 3: step=classified batch=aa:1 slot=1 "
    "age_ms=700.000 worker=w3\n"
    "Jan 31 12:00:00 host-a collage-stage[12]: {\"time\":\"t\",\"level\":\"info\","
    "\"process\":\"collage 0\",\"message\":\"step=assembled batch=aa:1 age_ms=40.000 worker=c1\"}\n"
    "2025-01-31 12:00:00.500 info    broker: step=admitted batch=aa:2 slot=0 age_ms=0.000 "
    "producer=p1 request=8\n";

std::vector<TraceEvent> logged(const std::string& text) {
  std::istringstream in(text);
  return read_trace_events(in);
}

TEST(Trace, ReadsStepsFromTextAndJsonAndSkipsTheRest) {
  const auto events = logged(kLogs);
  ASSERT_THAT(events, SizeIs(6));
  EXPECT_EQ(events[3].process, "classifier 3");
  EXPECT_EQ(events[3].worker, "w3");
  EXPECT_EQ(events[4].process, "collage 0");
  EXPECT_EQ(events[4].slot, std::nullopt);
}

TEST(Trace, IsOrderedByAgeWhateverTheClocksOfTheHostsSay) {
  const auto found = traces(logged(kLogs), 7, "p2");
  ASSERT_THAT(found, SizeIs(1));
  ASSERT_THAT(found[0].places, SizeIs(1));
  EXPECT_EQ(found[0].places[0].slot, 1);
  EXPECT_THAT(
      found[0].events,
      ElementsAre(Field(&TraceEvent::what, "admitted"),
                  Field(&TraceEvent::what, "assembled"),  // Of the whole batch.
                  Field(&TraceEvent::what, "answered"), Field(&TraceEvent::what, "classified")));
}

TEST(Trace, OfANumberThatTwoProducersUseAreTwo) {
  EXPECT_THAT(traces(logged(kLogs), 7, ""), SizeIs(2));
  EXPECT_THAT(traces(logged(kLogs), 9, ""), IsEmpty());
}

// Under overload request 4 waits, then has an s-CNN and a batch of its own; its s-CNN is late, and
// it moves to the batch of a collage.  Request 5 is cancelled in the line, request 6 waits still.
constexpr const char* kOverload =
    "x info broker: step=admitted batch=00000000:0 age_ms=0.000 producer=p1 request=4\n"
    "x info broker: step=admitted batch=00000000:0 age_ms=0.000 producer=p1 request=5\n"
    "x info broker: step=cancelled batch=00000000:0 age_ms=30.000 producer=p1 request=5\n"
    "x info broker: step=admitted batch=00000000:0 age_ms=0.000 producer=p1 request=6\n"
    "x info broker: step=placed batch=aa:7 slot=0 age_ms=300.000 batch_age_ms=0.000 producer=p1 "
    "request=4\n"
    "x info broker: step=dispatched batch=aa:7 slot=0 age_ms=300.000 worker=w1\n"
    "x info broker: step=placed batch=aa:9 slot=2 age_ms=800.000 batch_age_ms=50.000 producer=p1 "
    "request=4\n"
    "x info collage 0: step=assembled batch=aa:9 age_ms=80.000 worker=c1\n"
    "x info sink: step=settled batch=aa:9 slot=2 age_ms=900.000 source=collage\n"
    "x info broker: step=answered batch=aa:9 slot=2 age_ms=901.000 producer=p1 request=4 "
    "source=collage\n"
    "x info classifier 1: step=classified batch=aa:7 slot=0 age_ms=950.000 worker=w1\n";

TEST(Trace, FollowsARequestThatWaitsOverAllItsPlaces) {
  const auto found = traces(logged(kOverload), 4, "");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(trace_text(found[0]),
            "request 4 of producer p1: batch aa:7, slot 0, then batch aa:9, slot 2\n\n"
            "        ms  process         step\n"
            "     0.000  broker          admitted\n"
            "   300.000  broker          placed in batch aa:7, slot 0\n"
            "   300.000  broker          dispatched, worker w1\n"
            "   800.000  broker          placed in batch aa:9, slot 2\n"
            "   830.000  collage 0       assembled the batch, worker c1\n"
            "   900.000  sink            settled, collage\n"
            "   901.000  broker          answered, collage\n"
            "   950.000  classifier 1    classified, worker w1\n");
}

TEST(Trace, OfARequestThatEndsWhileItWaitsHasNoPlace) {
  const auto found = traces(logged(kOverload), 5, "");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(trace_text(found[0]),
            "request 5 of producer p1: in no batch\n\n"
            "        ms  process         step\n"
            "     0.000  broker          admitted\n"
            "    30.000  broker          cancelled\n");
}

TEST(Trace, OfANumberThatIsUsedAgainIsOneForEachAdmission) {
  const auto found = traces(
      logged(std::string(kOverload) +
             "x info broker: step=admitted batch=00000000:0 age_ms=0.000 producer=p1 request=5\n"
             "x info broker: step=placed batch=aa:12 slot=0 age_ms=20.000 producer=p1 request=5\n"),
      5, "p1");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].events, ElementsAre(Field(&TraceEvent::what, "admitted"),
                                           Field(&TraceEvent::what, "cancelled")));
  EXPECT_THAT(found[1].events, ElementsAre(Field(&TraceEvent::what, "admitted"),
                                           Field(&TraceEvent::what, "placed")));
}

TEST(Trace, ALineThatIsCutShortIsNoStep) {
  EXPECT_THAT(logged("x info broker: step=admitted bat"), IsEmpty());
  EXPECT_THAT(logged("x info broker: step=admitted batch=aa:1 slot=0 age_ms=0.0 producer=p req"),
              IsEmpty());
  EXPECT_THAT(logged("{\"process\":\"broker\",\"message\":\"step=adm"), IsEmpty());
}

TEST(Trace, IsATableThatPeopleCanRead) {
  const auto found = traces(logged(kLogs), 7, "p2");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(trace_text(found[0]),
            "request 7 of producer p2: batch aa:1, slot 1\n\n"
            "        ms  process         step\n"
            "     0.000  broker          admitted\n"
            "    20.000  collage 0       assembled the batch, worker c1\n"
            "   250.500  broker          answered, collage\n"
            "   700.000  classifier 3    classified, worker w3\n");
}

}  // namespace
}  // namespace replay::report
