// More than one broker, and the life of a request: what needs several real processes to be seen.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "producer/choice.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::image_folder;
using system_test::LivePipeline;
using system_test::program;
using system_test::Ran;
using testing::AllOf;
using testing::HasSubstr;

// Some images as files of a folder.
TEST(Brokers, OfTwoEachServesTheStreamsThatAreItsOwn) {
  LivePipeline first({{"policy", "none"}}, {.classifiers = 1, .collages = 0});
  LivePipeline second({{"policy", "none"}}, {.classifiers = 1, .collages = 0});
  const std::filesystem::path folder = image_folder(4);
  const std::vector<std::string> brokers = {first.producers(), second.producers()};
  std::uint64_t images_of[2] = {};
  for (int stream = 0; stream < 16; ++stream) {
    const std::string name = "camera-" + std::to_string(stream);
    const Ran ran =
        system_test::run({program("collage-push"), folder.string(), "-e", first.producers(), "-e",
                          second.producers(), "--stream", name, "--quiet"},
                         60s);
    EXPECT_EQ(ran.code, 0) << ran.output;
    images_of[producer::choose_broker(name, brokers)] += 4;
  }
  EXPECT_EQ(first.counters().at("requests_admitted"), images_of[0]);
  EXPECT_EQ(second.counters().at("requests_admitted"), images_of[1]);
  EXPECT_EQ(images_of[0] + images_of[1], 64u);
  EXPECT_TRUE(first.stop());
  EXPECT_TRUE(second.stop());
}

TEST(Life, OfARequestIsShownAcrossTheProcessesThatLoggedIt) {
  LivePipeline pipeline({{"log.requests", "true"}, {"policy", "collage"}},
                        {.classifiers = 1, .collages = 1});
  const std::filesystem::path folder = image_folder(9);
  ASSERT_EQ(
      system_test::run(
          {program("collage-push"), folder.string(), "-e", pipeline.producers(), "--quiet"}, 60s)
          .code,
      0);
  EXPECT_TRUE(pipeline.stop());
  const Ran ran =
      system_test::run({program("collage-replay"), "life", "1", pipeline.logs().string()}, 60s);
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.output, AllOf(HasSubstr("request 1 of producer "), HasSubstr("admitted"),
                                HasSubstr("dispatched, worker"), HasSubstr("classifier 0"),
                                HasSubstr("settled, "), HasSubstr("answered, ")));
  EXPECT_EQ(
      system_test::run({program("collage-replay"), "life", "1000", pipeline.logs().string()}, 60s)
          .code,
      1);
}

}  // namespace
