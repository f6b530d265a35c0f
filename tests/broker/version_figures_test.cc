#include "broker/version_figures.h"

#include <gtest/gtest.h>

#include "tests/figure.h"

namespace broker {
namespace {

using namespace std::chrono_literals;
using wire::Source;

constexpr const char* kName = "collage_model_answer_duration_seconds";

TEST(VersionFigures, KeepsVersionsAndSourcesApart) {
  VersionFigures figures;
  figures.observe("s1", Source::single, 10ms);
  figures.observe("s1", Source::single, 20ms);
  figures.observe("s1", Source::hedge, 20ms);
  figures.observe("c2", Source::collage, 30ms);
  machine::Telemetry report;
  figures.report(report);
  EXPECT_EQ(figure(report, kName, {{"version", "s1"}, {"source", "single"}}), 2);
  EXPECT_EQ(figure(report, kName, {{"version", "s1"}, {"source", "hedge"}}), 1);
  EXPECT_EQ(figure(report, kName, {{"version", "c2"}, {"source", "collage"}}), 1);
  EXPECT_EQ(report.metrics[0].samples.size(), 3u);
}

TEST(VersionFigures, CountsTheVersionsBeyondTheBoundTogether) {
  VersionFigures figures(2);
  for (const char* version : {"a", "b", "c", "d", "a"}) {
    figures.observe(version, Source::single, 1ms);
  }
  machine::Telemetry report;
  figures.report(report);
  EXPECT_EQ(figure(report, kName, {{"version", "a"}, {"source", "single"}}), 2);
  EXPECT_EQ(figure(report, kName, {{"version", "other"}, {"source", "single"}}), 2);
}

TEST(VersionFigures, AResultWithoutAVersionIsNoAnswer) {
  VersionFigures figures;
  figures.observe("", Source::none, 1ms);
  machine::Telemetry report;
  figures.report(report);
  EXPECT_TRUE(report.metrics[0].samples.empty());
}

}  // namespace
}  // namespace broker
