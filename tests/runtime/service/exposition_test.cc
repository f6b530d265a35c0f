#include "runtime/service/exposition.h"

#include <gmock/gmock.h>

namespace runtime {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(Exposition, PrintsNameHelpKindAndValue) {
  machine::Telemetry report;
  report.counter("collage_hedges_total", "Second tasks.", 12);
  EXPECT_EQ(exposition(report.metrics),
            "# HELP collage_hedges_total Second tasks.\n"
            "# TYPE collage_hedges_total counter\n"
            "collage_hedges_total 12\n");
}

TEST(Exposition, GivesASampleItsLabelsInOrder) {
  machine::Telemetry report;
  report.metrics.push_back({"drops_total",
                            "Drops.",
                            machine::Metric::Kind::counter,
                            {{{{"part", "sink"}, {"reason", "late"}}, 3.0}}});
  EXPECT_THAT(exposition(report.metrics),
              HasSubstr("drops_total{part=\"sink\",reason=\"late\"} 3\n"));
}

TEST(Exposition, PutsSamplesOfOneNameTogetherUnderOneHelp) {
  machine::Telemetry report;
  report.gauge("open", "Open here.", 1);
  report.gauge("other", "Other.", 5);
  report.gauge("open", "Open there.", 2);
  const std::string text = exposition(report.metrics);
  EXPECT_THAT(text, HasSubstr("# TYPE open gauge\nopen 1\nopen 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("Open there")));
}

TEST(Exposition, AddsTheBucketsOfAHistogramUpInSeconds) {
  machine::Histogram histogram;
  histogram.observe(1ms);
  histogram.observe(30ms);
  histogram.observe(11s);
  machine::Telemetry report;
  report.histogram("took_seconds", "Took.", histogram);
  const std::string text = exposition(report.metrics);
  EXPECT_THAT(text, HasSubstr("took_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_sum 11.031"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{le=\"0.02\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("took_seconds_bucket{le=\"+Inf\"} 3\n"));
}

TEST(Exposition, EscapesWhatALabelMayHold) {
  machine::Telemetry report;
  report.metrics.push_back(
      {"model", "Model.", machine::Metric::Kind::gauge, {{{{"version", "a\"b\\c\nd"}}, 1.0}}});
  EXPECT_THAT(exposition(report.metrics), HasSubstr("version=\"a\\\"b\\\\c\\nd\""));
}

}  // namespace
}  // namespace runtime
