// What processes say of themselves over HTTP, asked of real ones: figures, readiness, the page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <regex>

#include "replay/live/process.h"
#include "runtime/loop/clock.h"
#include "tests/system/live_pipeline.h"

namespace {

using namespace std::chrono_literals;
using system_test::LivePipeline;
using testing::HasSubstr;
using testing::Not;

class Http : public testing::Test {
 protected:
  system_test::Overrides overrides() const {
    return {{"http.address", "127.0.0.1"},
            {"http.broker", std::to_string(ports_[0])},
            {"http.sink", std::to_string(ports_[1])},
            {"http.classifier", std::to_string(ports_[2])},
            {"http.collage", std::to_string(ports_[3])}};
  }
  int port(std::size_t process) const { return ports_[process]; }
  httplib::Result get(std::size_t process, const std::string& path) const {
    return httplib::Client("127.0.0.1", port(process)).Get(path);
  }
  // The figure on a line of /metrics that begins so; -1 if there is none.
  double figure(std::size_t process, const std::string& begin) const {
    const std::string text = "\n" + get(process, "/metrics")->body;
    const std::size_t at = text.find("\n" + begin + " ");
    return at == text.npos ? -1 : std::stod(text.substr(at + begin.size() + 2));
  }
  // Has every image answered.
  static void stream(const LivePipeline& pipeline, std::size_t count) {
    producer::Connection connection(pipeline.producers());
    for (const system_test::Sample& sample : system_test::samples(count)) {
      ASSERT_TRUE(connection.submit(sample.image, {}).has_value());
    }
    ASSERT_EQ(connection.close(30s), 0u);
  }

  static constexpr std::size_t kBroker = 0, kSink = 1, kClassifier = 2, kCollage = 3;

 private:
  const std::vector<int> ports_ = replay::live::free_ports(4);
};

TEST_F(Http, EveryProcessOfAWholePipelineIsAliveReadyAndCounts) {
  LivePipeline pipeline(overrides(), {.classifiers = 1, .collages = 1});
  stream(pipeline, 18);
  for (const std::size_t process : {kBroker, kSink, kClassifier, kCollage}) {
    EXPECT_EQ(get(process, "/livez")->status, 200) << process;
    EXPECT_EQ(get(process, "/readyz")->body, "ready\n") << process;
    EXPECT_EQ(figure(process, "collage_ready"), 1) << process;
  }
  EXPECT_EQ(figure(kBroker, "collage_requests_admitted_total{part=\"broker\"}"), 18);
  EXPECT_EQ(figure(kClassifier, "collage_tasks_total{part=\"classifier\",result=\"answered\"}"),
            18);
  EXPECT_EQ(figure(kCollage, "collage_joined{part=\"assembler\"}"), 1);
  EXPECT_EQ(figure(kCollage, "collage_joined{part=\"collage_cnn\"}"), 1);
  EXPECT_TRUE(pipeline.stop());
}

TEST_F(Http, ABrokerWithoutStagesIsAliveAndSaysWhatItMisses) {
  LivePipeline pipeline(overrides(), {.classifiers = 0, .collages = 0});
  EXPECT_EQ(get(kBroker, "/livez")->status, 200);
  const auto ready = get(kBroker, "/readyz");
  EXPECT_EQ(ready->status, 503);
  EXPECT_EQ(ready->body, "no classifier\n");
  EXPECT_EQ(get(kSink, "/readyz")->status, 200);
  EXPECT_TRUE(pipeline.stop());
}

TEST_F(Http, StagesSayWhereTheyRunAndPicturesAreShownIfAskedFor) {
  system_test::Overrides all = overrides();
  all.emplace_back("policy", "collage-first");  // Collages are made of all batches.
  all.emplace_back("sink.show_pictures", "true");
  LivePipeline pipeline(all, {.classifiers = 1, .collages = 1});
  stream(pipeline, 90);
  const auto live = [this] { return nlohmann::json::parse(get(kSink, "/live.json")->body); };
  nlohmann::json shown = live();
  // The broker speaks of its workers once a heartbeat.
  const wire::Instant late = runtime::now() + 10s;
  while (shown["workers"].size() < 2 && runtime::now() < late) shown = live();
  ASSERT_EQ(shown["workers"].size(), 2u) << shown;
  for (const nlohmann::json& worker : shown["workers"]) {
    EXPECT_NE(worker["host"], "");
    EXPECT_GT(worker["pid"], 0);
    EXPECT_GT(worker["answers"], 0) << worker;
    EXPECT_THAT(worker["log"].get<std::string>(), HasSubstr("journalctl"));
  }
  const nlohmann::json picture = shown["picture"];
  ASSERT_TRUE(picture.contains("number")) << picture;
  EXPECT_EQ(get(kSink, "/picture.bin")->body.size(),
            8 + picture["width"].get<std::size_t>() * picture["height"].get<std::size_t>() *
                    picture["channels"].get<std::size_t>());
  EXPECT_TRUE(nlohmann::json::parse(get(kSink, "/history.json")->body).contains("per_second"));
  EXPECT_TRUE(pipeline.stop());
}

// The number that the page shows under a name.
double shown(const std::string& dom, const std::string& name) {
  std::smatch match;
  const std::regex pattern("data-figure=\"" + name + "\">([0-9,]+)");
  if (!std::regex_search(dom, match, pattern)) return -1;
  return std::stod(std::regex_replace(match[1].str(), std::regex(","), ""));
}

TEST_F(Http, TheLivePageShowsRealTrafficInABrowserWithTheFiguresOfMetrics) {
  system_test::Overrides all = overrides();
  all.emplace_back("policy", "collage-first");  // Some answers are the collage's.
  LivePipeline pipeline(all, {.classifiers = 1, .collages = 1});
  stream(pipeline, 90);
  const std::filesystem::path folder = system_test::scratch("page");
  for (const int width : {1100, 390}) {
    const system_test::Ran ran = system_test::run(
        {"/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--user-data-dir=" + (folder / "browser").string(), "--enable-logging=stderr",
         "--virtual-time-budget=3000", "--window-size=" + std::to_string(width) + ",2000",
         "--screenshot=" + (folder / ("page" + std::to_string(width) + ".png")).string(),
         "--dump-dom", "http://127.0.0.1:" + std::to_string(port(kSink)) + "/"},
        100s);
    EXPECT_THAT(ran.output, Not(HasSubstr("CONSOLE"))) << width;
    EXPECT_THAT(ran.output, HasSubstr("class=\"soft\">live</span>")) << width;
    EXPECT_THAT(ran.output, HasSubstr("role=\"listitem\"")) << width;
    for (const std::string source : {"single", "collage"}) {
      const double metric =
          figure(kSink, "collage_settled_total{part=\"sink\",source=\"" + source + "\"}");
      EXPECT_EQ(shown(ran.output, source), metric) << source;
      EXPECT_GT(metric, 0) << source;
    }
  }
  EXPECT_TRUE(pipeline.stop());
}

}  // namespace
