#include "replay/report/recorder.h"

#include <gmock/gmock.h>

#include <chrono>

#include "replay/report/event_reader.h"

namespace {

using namespace std::chrono_literals;
using replay::load::Fault;
using replay::report::Recorder;
using testing::ElementsAre;

TEST(Recorder, TellsFiguresEventsAndProgressTheSame) {
  const auto file = std::filesystem::path(testing::TempDir()) / "recorder_test.csv.gz";
  replay::report::EventFile events(file);
  replay::load::LoadGenerator::Options generator;
  generator.slots = 1;
  const std::vector<Fault> faults = {
      {.what = Fault::What::kill, .node = "classifier-3", .after = 1s, .length = 2s}};
  std::vector<std::size_t> progress;
  const std::string cat = "cat";
  Recorder recorder(
      "collage", generator, faults, [&cat](std::size_t) -> const std::string& { return cat; },
      events, [&progress](std::size_t done) { progress.push_back(done); });
  const replay::load::LoadGenerator::Listener listener = recorder.listener();
  listener.on_begin({10s});
  replay::load::Answer answer;
  answer.at = {10s + 200ms};
  answer.latency = 200ms;
  answer.result.status = wire::ResultStatus::answered;
  answer.result.source = wire::Source::collage;
  answer.result.predictions = {{"cat", {{0}, 0.5f}}};
  listener.on_answer(answer);
  listener.on_batch(0, {10s + 200ms}, 200ms);
  listener.on_health({11s}, {{"classifiers", 8}, {"classifiers_suspect", 1}});
  listener.on_mark(0, {11s});
  listener.on_mark(1, {13s});
  events.finish();
  EXPECT_THAT(progress, ElementsAre(1));
  const auto kept = recorder.collector().run({}, 1, 1);
  const auto runs = replay::report::read_events(file, 1, 1);
  ASSERT_EQ(runs.size(), 1u);
  for (const auto* run : {&kept, &runs[0]}) {
    EXPECT_EQ(run->name, "collage");
    EXPECT_EQ(run->collage_right, 1u);
    EXPECT_THAT(run->batch_s, ElementsAre(testing::DoubleNear(0.2, 1e-9)));
    ASSERT_EQ(run->health.size(), 1u);
    EXPECT_EQ(run->health[0].classifiers, 8u);
    ASSERT_EQ(run->faults.size(), 2u);
    EXPECT_EQ(run->faults[0].what, "kill classifier-3");
    EXPECT_EQ(run->faults[1].what, "classifier-3 is sound again");
    EXPECT_DOUBLE_EQ(run->faults[1].at_s, 3);
  }
  std::filesystem::remove(file);
}

}  // namespace
