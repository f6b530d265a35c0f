#include "replay/load/fault_schedule.h"

#include <gtest/gtest.h>

#include <chrono>

namespace replay::load {
namespace {

using namespace std::chrono_literals;
using What = Fault::What;

TEST(FaultSchedule, HasTheBeginAndTheEndOfEachFaultInOrderOfTime) {
  const auto schedule =
      fault_schedule({{.what = What::stop, .node = "sink", .after = 2s, .length = 3s},
                      {.what = What::kill, .node = "classifier-1", .after = 1s, .length = 1s}});
  ASSERT_EQ(schedule.size(), 4u);
  EXPECT_EQ(schedule[0].at, 1s);
  EXPECT_EQ(schedule[0].fault, 1u);
  EXPECT_TRUE(schedule[0].begins);
  // At 2 s two events meet: the scenario's order decides.
  EXPECT_EQ(schedule[1].fault, 0u);
  EXPECT_TRUE(schedule[1].begins);
  EXPECT_EQ(schedule[2].fault, 1u);
  EXPECT_FALSE(schedule[2].begins);
  EXPECT_EQ(schedule[3].at, 5s);
  EXPECT_FALSE(schedule[3].begins);
}

TEST(FaultSchedule, AFaultWithoutALengthNeverEndsExceptARestart) {
  EXPECT_EQ(fault_schedule({{.what = What::kill, .node = "sink"}}).size(), 1u);
  const auto restart = fault_schedule({{.what = What::restart, .node = "sink", .after = 1s}});
  ASSERT_EQ(restart.size(), 2u);
  EXPECT_EQ(restart[1].at, 2s);
}

TEST(FaultSchedule, EachModeHasItsFaults) {
  const Fault hog{.what = What::hog, .node = "sink"};
  const Fault bad_link{.what = What::link, .node = "classifier-1"};
  const Fault bad_link_of_sink{.what = What::link, .node = "sink"};
  EXPECT_TRUE(possible(hog, Mode::live));
  EXPECT_FALSE(possible(hog, Mode::simulated));
  EXPECT_TRUE(possible(bad_link, Mode::live));
  EXPECT_FALSE(possible(bad_link_of_sink, Mode::live));
  EXPECT_TRUE(possible(bad_link_of_sink, Mode::simulated));
  for (const Fault& fault : {hog, bad_link}) EXPECT_FALSE(possible(fault, Mode::deployed));
}

TEST(FaultSchedule, IsDescribedForPeople) {
  const Fault kill{.what = What::kill, .node = "classifier-3"};
  EXPECT_EQ(describe(kill, true), "kill classifier-3");
  EXPECT_EQ(describe(kill, false), "classifier-3 is sound again");
  EXPECT_EQ(describe({.what = What::garbage, .node = "collage-0"}, true), "garbage from collage-0");
}

}  // namespace
}  // namespace replay::load
