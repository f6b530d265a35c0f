#include "machine/figures.h"

#include <gmock/gmock.h>

#include "tests/figure.h"

namespace machine {
namespace {

using testing::ElementsAre;

struct Counters {
  std::uint64_t opened = 0, late = 0, bad = 0, held = 0;
};
using C = Counters;

constexpr Figure<C> kFigures[] = {
    counter<C>([](const C& c) { return c.opened; }, "opened", "opened_total", "Opened."),
    dropped<C>([](const C& c) { return c.late; }, "late_items", "late"),
    gauge<C>([](const C& c) { return c.held; }, "held", "", ""),
    dropped<C>([](const C& c) { return c.bad; }, "", "bad"),
};
constexpr C kCounters{.opened = 4, .late = 3, .bad = 2, .held = 1};

TEST(Figures, AStatusHasTheFiguresThatAreNamedForItInOrder) {
  EXPECT_THAT(status_of<C>(kFigures, kCounters).counters,
              ElementsAre(wire::Counter{"opened", 4}, wire::Counter{"late_items", 3},
                          wire::Counter{"held", 1}));
}

TEST(Figures, RowsOfOneMetricAreItsSamples) {
  Telemetry report;
  add_metrics<C>(kFigures, kCounters, report);
  ASSERT_EQ(report.metrics.size(), 2u);
  EXPECT_EQ(report.metrics[0].help, "Opened.");
  EXPECT_EQ(figure(report, "opened_total"), 4);
  EXPECT_EQ(figure(report, "collage_dropped_total", {{"reason", "late"}}), 3);
  EXPECT_EQ(figure(report, "collage_dropped_total", {{"reason", "bad"}}), 2);
}

}  // namespace
}  // namespace machine
