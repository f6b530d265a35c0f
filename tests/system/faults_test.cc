// Real processes, killed and started again while images stream through.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "runtime/loop/clock.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::LivePipeline;
using system_test::Sample;

const std::string kLatencies =
    std::string(COLLAGE_SOURCE_DIR) + "/replay/quantiles/cloud-latency-2019.csv";

// Streams `images` with `window` open at a time; counts how often each was answered, and how.
struct Stream {
  std::vector<int> answers;
  std::uint64_t answered = 0, right = 0, collage = 0, delivered = 0;

  void run(LivePipeline& pipeline, const std::vector<Sample>& images, std::size_t window,
           const std::function<void(std::uint64_t delivered)>& at) {
    producer::Connection connection(pipeline.producers());
    answers.assign(images.size(), 0);
    std::size_t next = 0;
    const wire::Instant until = runtime::now() + 120s;
    while (delivered < images.size() && runtime::now() < until) {
      while (next < images.size() && connection.open() < window) {
        const std::size_t image = next++;
        const auto id = connection.submit(images[image].image,
                                          [this, image, &images](const producer::Delivered& got) {
                                            note(image, images[image].label, got.result);
                                          });
        ASSERT_TRUE(id.has_value());
      }
      connection.poll(100ms);
      at(delivered);
    }
    EXPECT_EQ(connection.open(), 0u);
    EXPECT_EQ(connection.counters().duplicate_results, 0u);
    EXPECT_EQ(connection.counters().unknown_results, 0u);
  }

  void note(std::size_t image, const std::string& label, const wire::Result& result) {
    answers[image] += 1;
    delivered += 1;
    if (result.status != wire::ResultStatus::answered) return;
    answered += 1;
    collage += result.source == wire::Source::collage;
    right += result.predictions.front().name == label;
  }
};

TEST(Faults, AKilledAndRestartedClassifierCostsNoAnswerOfTwoThousand) {
  const std::vector<Sample> images = system_test::samples(2000);
  LivePipeline pipeline(
      {{"policy", "collage-hedge"}, {"emulation.file", kLatencies}, {"emulation.seed", "1"}},
      {.classifiers = 9, .collages = 1});
  bool killed = false, restarted = false;
  Stream stream;
  stream.run(pipeline, images, 9, [&](std::uint64_t delivered) {
    replay::live::Process& victim = pipeline.fleet().process("classifier-3");
    if (!killed && delivered >= 600) {
      victim.signal(SIGKILL);
      killed = true;
    }
    if (killed && !restarted && delivered >= 1200 && victim.exited()) {
      pipeline.fleet().restart("classifier-3");
      restarted = true;
    }
  });
  EXPECT_TRUE(killed && restarted);
  EXPECT_THAT(stream.answers, testing::Each(1));
  EXPECT_EQ(stream.answered, 2000u);
  EXPECT_GT(stream.collage, 0u);
  EXPECT_GE(stream.right, 1800u);
  pipeline.await([](const auto& now) { return now.at("classifiers") == 9; });
  EXPECT_GE(pipeline.counters().at("workers_lost"), 1u);
  EXPECT_TRUE(pipeline.stop());
}

// Streams 600 images and kills and restarts the process on the way.
Stream restart_in_flight(const std::string& name, const std::string& policy) {
  const std::vector<Sample> images = system_test::samples(600);
  LivePipeline pipeline({{"policy", policy}}, {.classifiers = 2, .collages = 1});
  bool restarted = false;
  Stream stream;
  stream.run(pipeline, images, 40, [&](std::uint64_t delivered) {
    if (restarted || delivered < 200) return;
    replay::live::Process& victim = pipeline.fleet().process(name);
    victim.signal(SIGKILL);
    victim.wait(5s);
    pipeline.fleet().restart(name);
    restarted = true;
  });
  EXPECT_TRUE(restarted);
  EXPECT_TRUE(pipeline.stop());
  return stream;
}

TEST(Faults, ABrokerThatIsKilledAndRestartedAnswersEachImageOnce) {
  const Stream stream = restart_in_flight("broker", "collage-hedge");
  EXPECT_THAT(stream.answers, testing::Each(1));
  EXPECT_EQ(stream.answered, stream.answers.size());
}

// Answers that the sink had taken are lost with it; the broker gives their images out again.
TEST(Faults, ASinkThatIsKilledAndRestartedAnswersEachImageOnce) {
  for (const char* policy : {"none", "collage-hedge"}) {
    const Stream stream = restart_in_flight("sink", policy);
    EXPECT_THAT(stream.answers, testing::Each(1)) << policy;
    EXPECT_EQ(stream.answered, stream.answers.size()) << policy;
  }
}

TEST(Faults, WithoutACollageStageThePipelineGoesOnAndSaysSo) {
  const std::vector<Sample> images = system_test::samples(90);
  LivePipeline pipeline({}, {.classifiers = 2, .collages = 0});
  Stream stream;
  stream.run(pipeline, images, 18, [](std::uint64_t) {});
  EXPECT_EQ(stream.answered, images.size());
  EXPECT_GT(pipeline.counters().at("batches_uncovered"), 0u);
  EXPECT_TRUE(pipeline.stop());
  std::ostringstream log;
  log << std::ifstream(pipeline.logs() / "broker.log").rdbuf();
  EXPECT_THAT(log.str(), testing::HasSubstr("no collage stage is free"));
}

TEST(Faults, WithoutAWorkerEveryImageIsMissingAtItsDeadline) {
  const std::vector<Sample> images = system_test::samples(18);
  LivePipeline pipeline({{"broker.deadline", "2500ms"}}, {.classifiers = 0, .collages = 0});
  Stream stream;
  stream.run(pipeline, images, 18, [](std::uint64_t) {});
  EXPECT_THAT(stream.answers, testing::Each(1));
  EXPECT_EQ(stream.answered, 0u);
  EXPECT_EQ(pipeline.counters().at("missing"), 18u);
  EXPECT_TRUE(pipeline.stop());
}

TEST(Faults, AssemblerAndCollageCnnMayBeTwoProcesses) {
  const std::vector<Sample> images = system_test::samples(180);
  LivePipeline pipeline({{"policy", "collage-first"}, {"endpoints.collage", "tcp://FREE"}},
                        {.classifiers = 1, .collages = 1});
  Stream stream;
  stream.run(pipeline, images, 36, [](std::uint64_t) {});
  EXPECT_EQ(stream.answered, images.size());
  EXPECT_GT(stream.collage, 0u);
  EXPECT_TRUE(pipeline.stop());
}

TEST(Faults, AProducerThatDisappearsLeavesNothingOpen) {
  const std::vector<Sample> images = system_test::samples(40);
  LivePipeline pipeline({}, {.classifiers = 1, .collages = 1});
  {
    producer::Connection connection(pipeline.producers());
    for (const Sample& sample : images) {
      (void)connection.submit(sample.image, [](const producer::Delivered&) {});
    }
    while (connection.open() == images.size()) connection.poll(10ms);
  }
  pipeline.await(
      [](const auto& now) {
        return now.at("requests_open") == 0 && now.at("requests_admitted") > 0;
      },
      30s);
  Stream stream;
  stream.run(pipeline, images, 9, [](std::uint64_t) {});
  EXPECT_EQ(stream.answered, images.size());
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
