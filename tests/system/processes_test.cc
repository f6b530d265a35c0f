// Classifiers of one host that have their network in memory once.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <set>
#include <string>

#include "replay/live/process.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::LivePipeline;

std::set<pid_t> children_of(pid_t process) {
  const std::string name = std::to_string(process);
  std::ifstream file("/proc/" + name + "/task/" + name + "/children");
  std::set<pid_t> children;
  for (pid_t child = 0; file >> child;) children.insert(child);
  return children;
}

TEST(Processes, OfOneNetworkAnswerBeginAnewAndEndTogether) {
  LivePipeline pipeline({{"policy", "none"}, {"http.address", "none"}},
                        {.classifiers = 0, .collages = 0});
  replay::live::Process stages({COLLAGE_BINARY_DIR "/bin/collage-stage", "classifier",
                                pipeline.file().string(), "--processes", "3"},
                               pipeline.logs() / "stages.log");
  const auto joined = [&](std::uint64_t count) {
    pipeline.await([count](const auto& counters) { return counters.at("classifiers") == count; });
  };
  joined(3);
  const std::set<pid_t> first = children_of(stages.id());
  ASSERT_EQ(first.size(), 3u);

  producer::Connection connection(pipeline.producers());
  std::size_t right = 0;
  for (const system_test::Sample& sample : system_test::samples(30)) {
    (void)connection.submit(sample.image, [&right](const producer::Delivered& delivered) {
      right += delivered.result.status == wire::ResultStatus::answered;
    });
  }
  EXPECT_EQ(connection.close(30s), 0u);
  EXPECT_EQ(right, 30u);

  ASSERT_EQ(kill(*first.begin(), SIGKILL), 0);
  // The broker may notice the loss before or after the new one has joined.
  pipeline.await([&](const auto& counters) {
    const std::set<pid_t> now = children_of(stages.id());
    return now.size() == 3 && !now.contains(*first.begin()) && counters.at("classifiers") == 3;
  });

  stages.signal(SIGTERM);
  EXPECT_EQ(stages.wait(20s), 0);
  joined(0);
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
