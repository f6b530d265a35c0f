#include "runtime/pipeline/latency.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <chrono>
#include <fstream>

#include "tests/environment.h"

namespace {

using namespace std::chrono_literals;
using runtime::Latency;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class LatencyFiles : public testing::Test {
 protected:
  LatencyFiles()
      : file_(std::filesystem::path(testing::TempDir()) /
              (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) +
               ".csv")) {}
  ~LatencyFiles() override { std::filesystem::remove(file_); }

  void write(const std::string& text) const { std::ofstream(file_) << text; }
  void refuses(const std::string& text, const std::string& what) const {
    write(text);
    EXPECT_THAT([&] { runtime::load_series(file_); },
                ThrowsMessage<runtime::ConfigError>(HasSubstr(what)));
  }

  const std::filesystem::path file_;
};

Latency latency_of(const std::string& text) {
  const runtime::Document document = runtime::Document::parse(text, "a.yaml");
  runtime::Section root = document.root();
  const Latency latency = runtime::read_latency(root, ".");
  document.finish();
  return latency;
}

TEST_F(LatencyFiles, ASeriesIsReadInItsOrder) {
  write("# measured\r\nseconds\r\n0.25\n\n0.125\r\n3\n");
  EXPECT_THAT(runtime::load_series(file_), ElementsAre(0.25, 0.125, 3));
}

TEST_F(LatencyFiles, ASeriesMayBeGzipped) {
  const gzFile out = gzopen(file_.c_str(), "wb");
  gzputs(out, "seconds\n0.5\n0.75\n");
  gzclose(out);
  EXPECT_THAT(runtime::load_series(file_), ElementsAre(0.5, 0.75));
}

TEST_F(LatencyFiles, AGzippedSeriesThatIsCutShortIsRefused) {
  const gzFile out = gzopen(file_.c_str(), "wb");
  gzputs(out, "seconds\n");
  for (int i = 0; i < 1000; ++i) gzprintf(out, "0.%d\n", i * 7919 % 1000);
  gzclose(out);
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  EXPECT_THAT([&] { runtime::load_series(file_); },
              ThrowsMessage<runtime::ConfigError>(HasSubstr("damaged or cut short")));
}

TEST_F(LatencyFiles, WhatIsNoSeriesIsRefusedByLine) {
  refuses("", "ends too early");
  refuses("seconds\n", "ends too early");
  refuses("latency\n0.1\n", ".csv:1:1: is 'latency', expected the header seconds");
  refuses("seconds\n0.1\n0.1s\n", ".csv:3:1: is '0.1s', expected seconds");
  refuses("seconds\n-1\n", "expected seconds from 0 to 86400");
  refuses("seconds\n0.1,0.2\n", "expected seconds");
  refuses("seconds\nnan\n", "expected seconds");
}

TEST(Latency, EachSourceHasItsOwnKeys) {
  const Latency pareto = latency_of("source: pareto\nshape: 1.5\nscale: 100ms\n");
  EXPECT_EQ(pareto.source, Latency::Source::pareto);
  EXPECT_EQ(pareto.shape, 1.5);
  EXPECT_EQ(pareto.scale, wire::Duration(100ms));
  const Latency log_normal = latency_of("source: log-normal\nmedian: 140ms\nsigma: 0.4\n");
  EXPECT_EQ(log_normal.median, wire::Duration(140ms));
  EXPECT_EQ(log_normal.sigma, 0.4);
}

TEST_F(LatencyFiles, AFileMayLieInTheFolderForData) {
  write("seconds\n0.5\n");
  const std::string text =
      "source: series\nfile: $COLLAGE_DATA/" + file_.filename().string() + "\n";
  const EnvironmentVariable data("COLLAGE_DATA", testing::TempDir());
  EXPECT_TRUE(std::filesystem::equivalent(latency_of(text).file, file_));
  data.set(std::nullopt);
  EXPECT_THAT([&] { latency_of(text); },
              ThrowsMessage<runtime::ConfigError>(HasSubstr("COLLAGE_DATA is not set")));
}

TEST(Latency, AKeyOfAnotherSourceOrAFileThatIsNotThereIsRefused) {
  EXPECT_THROW(latency_of("source: pareto\nshape: 1.5\nscale: 100ms\nsigma: 1\n"),
               runtime::ConfigError);
  EXPECT_THAT([] { latency_of("source: series\nfile: nowhere.csv\n"); },
              ThrowsMessage<runtime::ConfigError>(HasSubstr("there is no file './nowhere.csv'")));
  EXPECT_THAT([] { latency_of("source: gamma\n"); },
              ThrowsMessage<runtime::ConfigError>(HasSubstr("log-normal")));
}

TEST(Latency, ItsKeysReadBack) {
  const Latency latency = latency_of("source: log-normal\nmedian: 140ms\nsigma: 0.4\n");
  std::string text;
  for (const auto& [key, value] : runtime::latency_keys(latency)) text += key + ": " + value + "\n";
  const Latency again = latency_of(text);
  EXPECT_EQ(again.source, latency.source);
  EXPECT_EQ(again.median, latency.median);
  EXPECT_EQ(again.sigma, latency.sigma);
}

}  // namespace
