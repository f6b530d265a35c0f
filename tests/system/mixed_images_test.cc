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

#include "imaging/encode.h"
#include "tests/imaging/image_files.h"
#include "tests/system/live_pipeline.h"

namespace system_test {
namespace {

using namespace std::chrono_literals;
using imaging::Bytes;
using imaging::bytes_of;
using imaging::cut;
using imaging::joined;

constexpr std::size_t kBytesMax = std::size_t{256} << 10;

// Long enough for a busy machine: what is tested here is not the deadline.
const Overrides kPatient = {{"broker.image_bytes_max", std::to_string(kBytesMax)},
                            {"broker.deadline", "5m"},
                            {"broker.wait_max", "5m"},
                            {"broker.overload", "refuse"}};

// A file of a kind that pipelines meet.
struct File {
  std::string name;
  Bytes bytes;
  std::string reason{};  // Why it is not classified; empty: it is.
};

Bytes webp(const imaging::VipsImagePtr& from) {
  void* data = nullptr;
  std::size_t size = 0;
  const int status = vips_webpsave_buffer(from.get(), &data, &size, "lossless", TRUE, nullptr);
  return imaging::taken(status, data, size);
}

Bytes random_bytes(std::size_t count) {
  std::mt19937 chance(1);
  Bytes bytes(count);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(chance());
  return bytes;
}

// A progressive JPEG whose first scan comes a hundred times.
Bytes hundred_scans() {
  Bytes body = imaging::jpeg(imaging::busy(24, 24, 3), true);
  const Bytes marker = {0xff, 0xda};
  const auto first = std::search(body.begin(), body.end(), marker.begin(), marker.end());
  const auto second = std::search(first + 2, body.end(), marker.begin(), marker.end());
  const Bytes scan(first, second);
  const auto at = first - body.begin();
  for (int i = 0; i < 100; ++i) body.insert(body.begin() + at, scan.begin(), scan.end());
  return body;
}

// The same, and it claims so many pixels that a hundred passes would take too long.
Bytes hundred_large_scans() {
  Bytes body = hundred_scans();
  const std::size_t at = imaging::jpeg_size_at(body);
  for (const std::size_t side : {at, at + 2}) {
    body[side] = 5000 >> 8;
    body[side + 1] = 5000 & 0xff;
  }
  return body;
}

void add_cut(std::vector<File>& files, const std::string& name, const Bytes& whole) {
  for (const double part : {0.1, 0.5, 0.9, 0.99, 0.999}) {
    files.push_back(
        {name + " cut at " + std::to_string(part), cut(whole, part), "truncated_image"});
  }
}

void add_damaged(std::vector<File>& files) {
  const imaging::VipsImagePtr picture = imaging::busy(150, 100, 3);
  const Bytes whole = imaging::jpeg(picture);
  add_cut(files, "JPEG", whole);
  add_cut(files, "progressive JPEG", imaging::jpeg(picture, true));
  add_cut(files, "PNG", imaging::png(picture));
  add_cut(files, "WebP", webp(picture));
  Bytes zeros = whole;
  std::fill(zeros.begin() + static_cast<std::ptrdiff_t>(zeros.size() / 2), zeros.end(), 0);
  files.push_back({"JPEG, its second half zeros", zeros, "truncated_image"});
  files.push_back(
      {"JPEG, cut and closed", joined({cut(whole, 0.5), {0xff, 0xd9}}), "truncated_image"});
}

void add_claims(std::vector<File>& files) {
  files.push_back(
      {"JPEG of 64250 x 64250", imaging::jpeg_claiming(64'250, 64'250), "too_many_pixels"});
  files.push_back(
      {"PNG of 64250 x 64250", imaging::png_claiming(64'250, 64'250), "too_many_pixels"});
  files.push_back({"JPEG of 1 x 60000", imaging::jpeg_claiming(1, 60'000), "too_many_pixels"});
  files.push_back({"PNG of 1 x 60000", imaging::png_claiming(1, 60'000), "too_many_pixels"});
  files.push_back({"JPEG of 100 large scans", hundred_large_scans(), "too_many_pixels"});
}

std::vector<File> bad_files() {
  std::vector<File> files = {
      {"nothing", {}, "empty_image"},
      {"a byte", {0x00}, "not_an_image"},
      {"random bytes", random_bytes(3000), "not_an_image"},
      {"the start marker of a JPEG", {0xff, 0xd8}, "not_an_image"},
      {"text", bytes_of("this is not an image"), "not_an_image"},
      {"an HTTP request", bytes_of("GET / HTTP/1.1\r\n\r\n"), "not_an_image"},
      {"GIF", bytes_of("GIF89a\1\0\1\0"), "unsupported_image"},
      {"PDF", bytes_of("%PDF-1.4\n"), "unsupported_image"},
      {"SVG", bytes_of("<svg xmlns='http://www.w3.org/2000/svg'/>"), "unsupported_image"},
      {"JPEG of 12 bits", imaging::with_frame_byte(imaging::jpeg(imaging::busy(28, 28, 1)), 4, 12),
       "unsupported_image"},
      {"lossless JPEG", imaging::with_frame_byte(imaging::jpeg(imaging::busy(28, 28, 1)), 1, 0xc3),
       "unsupported_image"},
      {"a byte too many", Bytes(kBytesMax + 1, 1), "image_too_large"}};
  add_damaged(files);
  add_claims(files);
  return files;
}

// A JPEG of four inks.  With the Adobe marker's transform of 2 its samples count as YCCK.
Bytes inks(std::uint8_t transform) {
  Bytes body = imaging::jpeg(
      imaging::image8(64, 64, 4, VIPS_INTERPRETATION_CMYK,
                      [](int x, int y, int band) { return (x * (band + 1) + y * 3) % 256; }));
  const Bytes name = bytes_of("Adobe");
  const auto adobe = std::search(body.begin(), body.end(), name.begin(), name.end());
  EXPECT_NE(adobe, body.end());
  if (adobe != body.end()) adobe[11] = transform;
  return body;
}

Bytes full_exif() {
  return imaging::segment(0xe1,
                          joined({bytes_of("Exif"), {0, 0}, imaging::exif(6), Bytes(65'000)}));
}

void add_odd_jpegs(std::vector<File>& files, const imaging::VipsImagePtr& shirt) {
  const Bytes whole = imaging::jpeg(shirt);
  files.push_back({"grey JPEG", whole});
  files.push_back({"JPEG and junk", joined({whole, random_bytes(1000)})});
  files.push_back({"two JPEGs in one", joined({whole, imaging::jpeg(imaging::busy(28, 28, 1))})});
  files.push_back({"progressive JPEG", imaging::jpeg(shirt, true)});
  files.push_back({"rotated JPEG", imaging::with_orientation(shirt, 6)});
  files.push_back({"JPEG with a full EXIF segment", imaging::with_part(whole, full_exif())});
  files.push_back({"JPEG with a profile of 180 kB",
                   imaging::with_part(whole, joined({imaging::icc_part(1, 3, Bytes(60'000, 7)),
                                                     imaging::icc_part(2, 3, Bytes(60'000, 7)),
                                                     imaging::icc_part(3, 3, Bytes(60'000, 7))}))});
  files.push_back({"CMYK JPEG", inks(0)});
  files.push_back({"YCCK JPEG", inks(2)});
  files.push_back({"large JPEG", imaging::jpeg(imaging::busy(300, 200, 3))});
  files.push_back({"narrow JPEG", imaging::jpeg(imaging::busy(9, 900, 3))});
}

// Odd, but each is a picture.
std::vector<File> odd_files(const wire::Payload& png) {
  const Bytes bytes(png.bytes().begin(), png.bytes().end());
  const imaging::Picture tile = imaging::decoded(bytes, imaging::kGrey28);
  const auto shirt = imaging::image8(28, 28, 1, VIPS_INTERPRETATION_B_W,
                                     [&](int x, int y, int) { return imaging::at(tile, x, y); });
  std::vector<File> files = {
      {"WebP", webp(shirt)},
      {"PNG of a pixel", imaging::png(imaging::busy(1, 1, 3))},
      {"black PNG", imaging::encode_png(imaging::blank_tile(imaging::kGrey28))},
      {"PNG with alpha", imaging::png(imaging::busy(28, 28, 4))},
      {"interlaced PNG", imaging::png(shirt, true)},
      {"as long as may be", joined({bytes, Bytes(kBytesMax - bytes.size(), 1)})}};
  add_odd_jpegs(files, shirt);
  return files;
}

std::vector<std::byte> body(const Bytes& bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

// Sends the files in order, as fast as the broker's credit lets, and returns their results in the
// same order.
std::vector<collage::Result> classify(const LivePipeline& pipeline,
                                      const std::vector<const File*>& files) {
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
std::vector<std::string> classes(const std::vector<const File*>& files) {
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
std::vector<File> good_files(std::size_t count) {
  const std::vector<Sample> shown = samples(count);
  const std::vector<File> odd = odd_files(shown[0].image);
  std::vector<File> files;
  for (std::size_t i = 0; i < count; ++i) {
    const auto image = shown[i].image.bytes();
    files.push_back(i % 9 == 0 ? odd[i / 9 % odd.size()]
                               : File{"a test image", {image.begin(), image.end()}});
  }
  return files;
}

std::vector<const File*> pointers(const std::vector<File>& files, std::size_t count) {
  std::vector<const File*> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(&files[i % files.size()]);
  return list;
}

struct Tally {
  std::size_t right = 0, rejected = 0;
  std::size_t of_collage = 0, other = 0;  // A collage may say another class than the s-CNN.
};

void judge_good(const File& file, const collage::Result& result, const std::string& expected,
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

void judge_bad(const File& file, const collage::Result& result, Tally& tally) {
  const bool too_large = file.reason == "image_too_large";
  EXPECT_EQ(result.status, too_large ? collage::Status::refused : collage::Status::rejected)
      << file.name;
  EXPECT_EQ(result.reason, file.reason) << file.name;
  tally.rejected += result.status == collage::Status::rejected;
}

// As many broken files as good ones, in an order without a pattern.
void mix(std::size_t count) {
  const std::vector<File> good = good_files(count);
  const std::vector<File> bad = bad_files();
  std::vector<const File*> files = pointers(good, count);
  const std::vector<std::string> expected = classes(files);
  const std::vector<const File*> broken = pointers(bad, count);
  files.insert(files.end(), broken.begin(), broken.end());
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  std::vector<const File*> mixed;
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
