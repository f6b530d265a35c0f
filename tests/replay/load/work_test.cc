#include "replay/load/work.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/values.h"

namespace replay::load {
namespace {

using namespace std::chrono_literals;
using wire::ResultStatus;

constexpr machine::Peer kBroker{LoadGenerator::kBroker, 0};
constexpr machine::Peer kSink{LoadGenerator::kSink, 0};
constexpr std::uint64_t kImages = 4;

// A run of an open loop of four images, by the messages that its generator gets.
class WorkTest : public testing::Test {
 protected:
  WorkTest() : generator_(options(), {.producer = {1, 2}}, listener()) {}

  static LoadGenerator::Options options() {
    LoadGenerator::Options options;
    options.arrivals = {.kind = Arrivals::Kind::poisson, .per_second = 100};
    options.retry_refused = false;
    options.images = kImages;
    options.warm_up = 0;
    options.classifiers = options.assemblers = 1;
    options.phase_max = 10s;
    options.probe_every = 2ms;
    return options;
  }
  static LoadGenerator::Listener listener() {
    return {.image = [](std::size_t) { return wire::Payload(); },
            .on_answer = {},
            .on_batch = {},
            .on_begin = {},
            .on_mark = {},
            .on_health = {}};
  }

  void welcome(std::uint64_t epoch) {
    (void)generator_.on_message(kBroker, wire::Welcome{{epoch}, 5s, 256, 1000, 5s}, now_);
  }
  // The broker's status, of an idle fleet.
  void status(std::uint64_t admitted, std::uint64_t tasks) {
    (void)generator_.on_message(kBroker,
                                wire::Status{{{"classifiers", 1},
                                              {"assemblers", 1},
                                              {"sinks", 1},
                                              {"requests_admitted", admitted},
                                              {"tasks_dispatched", tasks}}},
                                now_);
  }
  void sink_status() { (void)generator_.on_message(kSink, wire::Status{}, now_); }
  // Sends all images.
  void begin(std::uint64_t admitted, std::uint64_t tasks) {
    (void)generator_.on_timeout(now_);
    welcome(7);
    status(admitted, tasks);
    sink_status();
    now_ = at(500ms);
    (void)generator_.on_timeout(now_);
  }
  // Ends all requests, as many as are `answered` with an answer and the others as `otherwise` says.
  void end(std::uint64_t answered, ResultStatus otherwise) {
    for (std::uint64_t request = 1; request <= kImages; ++request) {
      wire::Result result;
      result.request = {request};
      result.status = request <= answered ? ResultStatus::answered : otherwise;
      if (request <= answered) result.predictions = {{"cat", {{0}, 1.0f}}};
      (void)generator_.on_message(kBroker, std::move(result), now_);
    }
    ASSERT_EQ(generator_.answered(), kImages);
    EXPECT_EQ(generator_.with_answer(), answered);
  }

  wire::Instant now_;
  LoadGenerator generator_;
};

// Two copies of the one image that is admitted.
TEST_F(WorkTest, RefusedImagesHideNoCopyOfThoseThatAreAdmitted) {
  begin(10, 20);
  end(1, ResultStatus::refused);
  status(11, 22);
  sink_status();
  ASSERT_TRUE(generator_.completed());
  const WorkDone work = work_done(generator_);
  EXPECT_EQ(work.images, 1u);
  EXPECT_EQ(work.duplicates, 1u);
  EXPECT_DOUBLE_EQ(work.extra(1), 1);
}

TEST_F(WorkTest, AMissingImageThatWasAdmittedCounts) {
  begin(10, 20);
  end(3, ResultStatus::missing);
  status(14, 28);
  sink_status();
  EXPECT_EQ(work_done(generator_).images, kImages);
  EXPECT_DOUBLE_EQ(work_done(generator_).extra(1), 1);
}

TEST_F(WorkTest, ABrokerThatHasRestartedHasForgottenWhatItAdmitted) {
  begin(10, 10);
  EXPECT_FALSE(generator_.broker_restarted());
  welcome(8);
  end(3, ResultStatus::refused);
  status(1, 1);
  sink_status();
  EXPECT_TRUE(generator_.broker_restarted());
  EXPECT_EQ(work_done(generator_).images, 3u);
  EXPECT_DOUBLE_EQ(work_done(generator_).extra(1), 0);
}

}  // namespace
}  // namespace replay::load
