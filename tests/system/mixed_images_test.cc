// Broken images among good ones, through the C++ client: each broken one gets its reason, and each
// good one the class that the s-CNN alone gives it.  All that a batch holds, and both kinds of
// stages, are shared by the two.
#include <collage/client.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <random>
#include <span>
#include <string>

#include "tests/system/image_kinds.h"
#include "tests/system/live_pipeline.h"

namespace system_test {
namespace {

using namespace std::chrono_literals;

// Long enough for a busy machine: what is tested here is not the deadline.
const Overrides kPatient = {{"broker.image_bytes_max", std::to_string(kImageBytesMax)},
                            {"broker.deadline", "5m"},
                            {"broker.wait_max", "5m"},
                            {"broker.overload", "refuse"}};

std::vector<std::byte> body(const std::vector<std::uint8_t>& bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

// Sends the files in order, as fast as the broker's credit lets, and returns their results in the
// same order.
std::vector<collage::Result> classify(const LivePipeline& pipeline,
                                      const std::vector<const ImageFile*>& files) {
  collage::Client client({.endpoints = {pipeline.producers()}, .deadline = 5min});
  client.connect();
  std::vector<collage::Result> results(files.size());
  std::vector<int> seen(files.size());
  collage::RequestId sent = 0;
  while (sent < files.size() || client.open() > 0) {
    while (sent < files.size() && client.window() > 0) {
      const auto id = client.submit(body(files[sent]->bytes));
      if (!id) break;
      EXPECT_EQ(*id, ++sent);  // Ids count the images.
    }
    for (collage::Result& result : client.poll(100ms)) {
      const auto at = static_cast<std::size_t>(result.request - 1);
      ++seen.at(at);
      results.at(at) = std::move(result);
    }
  }
  EXPECT_THAT(seen, testing::Each(1)) << "results of an image";
  return results;
}

// What the s-CNN alone says of each file.
std::vector<std::string> classes(const std::vector<const ImageFile*>& files) {
  Overrides settings = kPatient;
  settings.emplace_back("policy", "none");
  LivePipeline pipeline(settings, {.classifiers = 2, .collages = 0});
  std::vector<std::string> names;
  for (const collage::Result& result : classify(pipeline, files)) {
    EXPECT_EQ(result.status, collage::Status::answered)
        << files[names.size()]->name << ": " << result.reason;
    names.push_back(result.predictions.empty() ? "" : result.predictions.front().name);
  }
  EXPECT_TRUE(pipeline.stop());
  return names;
}

// Every ninth is an odd one, the others are all different.
std::vector<ImageFile> good_files(std::size_t count) {
  const std::vector<Sample> shown = samples(count);
  const std::vector<ImageFile> odd = odd_files(shown[0].image);
  std::vector<ImageFile> files;
  for (std::size_t i = 0; i < count; ++i) {
    const auto image = shown[i].image.bytes();
    files.push_back(i % 9 == 0 ? odd[i / 9 % odd.size()]
                               : ImageFile{"a test image", {image.begin(), image.end()}});
  }
  return files;
}

std::vector<const ImageFile*> pointers(const std::vector<ImageFile>& files, std::size_t count) {
  std::vector<const ImageFile*> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(&files[i % files.size()]);
  return list;
}

struct Tally {
  std::size_t right = 0, rejected = 0;
  std::size_t of_collage = 0, other = 0;  // A collage may say another class than the s-CNN.
};

void judge_good(const ImageFile& file, const collage::Result& result, const std::string& expected,
                Tally& tally) {
  ASSERT_EQ(result.status, collage::Status::answered) << file.name << ": " << result.reason;
  const collage::Prediction& first = result.predictions.at(0);
  EXPECT_TRUE(std::isfinite(first.probability)) << file.name;
  if (result.source == collage::Source::collage) {
    ++tally.of_collage;
    tally.other += first.name != expected;
  } else {
    EXPECT_EQ(first.name, expected) << file.name;
    tally.right += first.name == expected;
  }
}

void judge_bad(const ImageFile& file, const collage::Result& result, Tally& tally) {
  const bool too_large = file.reason == "image_too_large";
  EXPECT_EQ(result.status, too_large ? collage::Status::refused : collage::Status::rejected)
      << file.name;
  EXPECT_EQ(result.reason, file.reason) << file.name;
  tally.rejected += result.status == collage::Status::rejected;
}

// As many broken files as good ones, in an order without a pattern.
void mix(std::size_t count) {
  const std::vector<ImageFile> good = good_files(count);
  const std::vector<ImageFile> bad = bad_files();
  std::vector<const ImageFile*> files = pointers(good, count);
  const std::vector<std::string> expected = classes(files);
  const std::vector<const ImageFile*> broken = pointers(bad, count);
  files.insert(files.end(), broken.begin(), broken.end());
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  std::vector<const ImageFile*> mixed;
  for (const std::size_t i : order) mixed.push_back(files[i]);

  LivePipeline pipeline(kPatient, {.classifiers = 2, .collages = 1});
  const std::vector<collage::Result> results = classify(pipeline, mixed);
  Tally tally;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] < count) {
      judge_good(*mixed[i], results[i], expected[order[i]], tally);
    } else {
      judge_bad(*mixed[i], results[i], tally);
    }
  }
  std::cout << tally.right << " good images have the class of the s-CNN, " << tally.of_collage
            << " a collage's answer (" << tally.other << " another class); " << tally.rejected
            << " of " << count << " broken ones of " << bad.size() << " kinds were rejected\n";
  EXPECT_EQ(tally.right + tally.of_collage, count);
  // Were a collage harmed by a broken tile, most of its classes would be others.
  EXPECT_LE(tally.other, tally.of_collage / 4 + 3);
  // An image without a word for a second is sent again, and may be rejected once more.
  EXPECT_GE(pipeline.counters().at("rejected"), tally.rejected);
  EXPECT_TRUE(pipeline.fleet().exited().empty());
  EXPECT_TRUE(pipeline.stop());
}

TEST(MixedImages, AThousandBrokenOnesHarmNoneOfAThousandGoodOnes) { mix(1'000); }
TEST(LongMixedImages, TenThousandBrokenOnesHarmNoneOfTenThousandGoodOnes) { mix(10'000); }

}  // namespace
}  // namespace system_test
