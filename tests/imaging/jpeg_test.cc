// JPEG files as cameras, editors and broken uploads write them: what is damage, and what is not.
#include "imaging/jpeg.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/imaging/image_files.h"

namespace imaging {
namespace {

constexpr int kSos = 0xda;

// A picture with smooth parts and detail, as a photograph has.
VipsImagePtr scene(int width = 320, int height = 240, int phase = 0) {
  return image8(width, height, 3, VIPS_INTERPRETATION_sRGB, [=](int x, int y, int band) {
    const double wave = std::sin((x + phase) * 0.03 * (band + 1)) + std::cos(y * 0.05 + phase);
    return std::clamp(static_cast<int>(128 + 50 * wave) + (x * 37 + y * 91 + phase) % 23, 0, 255);
  });
}

enum class Scans { one, progressive };

Bytes file_of(const VipsImagePtr& picture, Scans scans, int restart_interval = 0) {
  void* data = nullptr;
  std::size_t size = 0;
  const int status = vips_jpegsave_buffer(picture.get(), &data, &size, "Q", 85, "interlace",
                                          scans == Scans::progressive, "restart_interval",
                                          restart_interval, "optimize_coding", TRUE, nullptr);
  return taken(status, data, size);
}

// The offset of the first byte of the first scan's data.
std::size_t scan_begin(const Bytes& body) {
  for (std::size_t i = 2; i + 4 < body.size();) {
    const std::size_t end = i + 2 + body[i + 2] * std::size_t{256} + body[i + 3];
    if (body[i + 1] == kSos) return end;
    i = end;
  }
  ADD_FAILURE() << "no scan";
  return 0;
}

// The offset `share` of the way through the data of a file of one scan.
std::size_t inside(const Bytes& body, double share) {
  const std::size_t begin = scan_begin(body);
  return begin + static_cast<std::size_t>(share * static_cast<double>(body.size() - 2 - begin));
}

Bytes first_bytes(const Bytes& body, std::size_t count) {
  return {body.begin(), body.begin() + static_cast<std::ptrdiff_t>(count)};
}

Bytes last_bytes(const Bytes& body, std::size_t from) {
  return {body.begin() + static_cast<std::ptrdiff_t>(from), body.end()};
}

const Bytes kEoi = {0xff, 0xd9};

// Bytes of no pattern and without markers.
Bytes noise(std::size_t count) {
  Bytes out(count);
  std::uint32_t state = 12345;
  for (std::uint8_t& byte : out) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(state >> 24) % 255;
  }
  return out;
}

Bytes overwritten(Bytes body, std::size_t at, const Bytes& part) {
  std::copy(part.begin(), part.end(), body.begin() + static_cast<std::ptrdiff_t>(at));
  return body;
}

void expect_as(const Bytes& body, const Bytes& sound) {
  EXPECT_EQ(decoded(body, kColour32), decoded(sound, kColour32));
}

TEST(Jpeg, CutAndClosedByAnEndMarkerIsTruncated) {
  for (const Scans scans : {Scans::one, Scans::progressive}) {
    const Bytes body = file_of(scene(), scans);
    for (const double share : {0.02, 0.1, 0.5, 0.9, 0.98}) {
      SCOPED_TRACE(share);
      expect_refused(joined({first_bytes(body, inside(body, share)), kEoi}),
                     Reason::truncated_image);
    }
  }
}

TEST(Jpeg, WithZerosOrNoiseInItsScanIsTruncated) {
  const Bytes body = file_of(scene(), Scans::one);
  for (const std::size_t length : {600u, 2500u}) {
    for (const double share : {0.1, 0.3, 0.5, 0.7}) {
      SCOPED_TRACE(testing::Message() << length << " bytes at " << share);
      expect_refused(overwritten(body, inside(body, share), Bytes(length)),
                     Reason::truncated_image);
      expect_refused(overwritten(body, inside(body, share), noise(length)),
                     Reason::truncated_image);
    }
  }
}

TEST(Jpeg, WithBytesLostFromItsScanIsTruncated) {
  const Bytes body = file_of(scene(), Scans::one);
  for (const double share : {0.1, 0.3, 0.5, 0.7}) {
    SCOPED_TRACE(share);
    const std::size_t at = inside(body, share);
    expect_refused(joined({first_bytes(body, at), last_bytes(body, at + 1000)}),
                   Reason::truncated_image);
  }
}

// As a download leaves a file whose space was reserved first.
TEST(Jpeg, ThatIsZerosFromSomewhereOnIsTruncated) {
  for (const Scans scans : {Scans::one, Scans::progressive}) {
    const Bytes body = file_of(scene(), scans);
    for (const double share : {0.3, 0.9}) {
      const std::size_t at = inside(body, share);
      expect_refused(overwritten(body, at, Bytes(body.size() - at)), Reason::truncated_image);
    }
  }
}

TEST(Jpeg, OfTwoUploadsMixedIsTruncated) {
  const Bytes one = file_of(scene(), Scans::one);
  const Bytes other = file_of(scene(320, 240, 60), Scans::one);
  for (const double share : {0.2, 0.5, 0.8}) {
    SCOPED_TRACE(share);
    expect_refused(
        joined({first_bytes(one, inside(one, share)), last_bytes(other, inside(other, share))}),
        Reason::truncated_image);
    expect_refused(joined({first_bytes(one, inside(one, share)), other}), Reason::truncated_image);
  }
}

TEST(Jpeg, WhoseRestartIntervalsAreLostIsTruncated) {
  const Bytes body = file_of(scene(), Scans::one, 20);
  expect_as(body, body);
  std::vector<std::size_t> restarts;
  for (std::size_t i = scan_begin(body); i + 1 < body.size(); ++i) {
    if (body[i] == 0xff && body[i + 1] >= 0xd0 && body[i + 1] <= 0xd7) restarts.push_back(i);
  }
  ASSERT_GT(restarts.size(), 12u);
  // Two intervals; eight, which the numbers of the markers do not show; a part of one.
  expect_refused(joined({first_bytes(body, restarts[2]), last_bytes(body, restarts[4])}),
                 Reason::truncated_image);
  expect_refused(joined({first_bytes(body, restarts[2]), last_bytes(body, restarts[10])}),
                 Reason::truncated_image);
  expect_refused(joined({first_bytes(body, restarts[2] - 100), last_bytes(body, restarts[2])}),
                 Reason::truncated_image);
}

TEST(Jpeg, OfWhichAComponentWasNeverSentIsTruncated) {
  // Progressive: closed behind its first scan, which has the means of the blocks only.
  const Bytes body = file_of(scene(), Scans::progressive);
  const std::size_t end = end_of_scan(body, scan_begin(body));
  expect_refused(joined({first_bytes(body, end), kEoi}), Reason::truncated_image);
}

TEST(Jpeg, WithoutItsEndMarkerIsAccepted) {
  for (const Scans scans : {Scans::one, Scans::progressive}) {
    const Bytes body = file_of(scene(), scans);
    expect_as(first_bytes(body, body.size() - 2), body);
  }
}

TEST(Jpeg, WithATrailerIsAccepted) {
  const Bytes video = joined(
      {{0, 0, 0, 24}, bytes_of("ftypmp42"), noise(5000), {0xff, 0xda, 0xff, 0xd8, 0xff, 0x01}});
  const Bytes trailer = joined(
      {{0, 0, 1, 8, 11, 0, 0, 0}, bytes_of("Image_UTC_Data"), noise(3000), bytes_of("SEFT")});
  for (const Scans scans : {Scans::one, Scans::progressive}) {
    const Bytes body = file_of(scene(), scans);
    expect_as(joined({body, video}), body);
    expect_as(joined({body, body}), body);  // A second picture, as of a stereo camera.
    expect_as(joined({body, trailer}), body);
    expect_as(joined({first_bytes(body, body.size() - 2), trailer}), body);
  }
}

TEST(Jpeg, WithPaddingBeforeItsEndMarkerIsAccepted) {
  const Bytes body = file_of(scene(), Scans::one);
  for (const std::size_t count : {1u, 2u, 20u, 500u}) {
    expect_as(joined({first_bytes(body, body.size() - 2), Bytes(count), kEoi}), body);
    expect_as(joined({first_bytes(body, body.size() - 2), Bytes(count, 0xff), kEoi}), body);
  }
}

// The blocks of a damaged scan may be all there before its data is.
TEST(Jpeg, WithDataLeftOverBeforeItsEndMarkerIsTruncated) {
  const Bytes body = file_of(scene(), Scans::one);
  const Bytes begin = first_bytes(body, body.size() - 2);
  const Bytes lines = last_bytes(begin, inside(body, 0.9));
  expect_refused(joined({begin, noise(50), kEoi}), Reason::truncated_image);
  expect_refused(joined({begin, lines, kEoi}), Reason::truncated_image);
  expect_refused(joined({begin, lines, kEoi, noise(3000)}), Reason::truncated_image);
}

TEST(Jpeg, WithJunkBetweenTheSegmentsOfItsHeaderIsAccepted) {
  const Bytes body = file_of(scene(), Scans::one);
  const std::size_t second = 4 + body[4] * std::size_t{256} + body[5];
  for (const Bytes& junk : {Bytes{0x00, 0xe1, 0x00, 0x0a, 'A', 'B', 'C', 'D'}, bytes_of("junk"),
                            Bytes{0xff, 0xff, 0xff}}) {
    expect_as(joined({first_bytes(body, second), junk, last_bytes(body, second)}), body);
  }
}

// libjpeg, asked to save segments, takes time by the square of their number: an hour for these.
TEST(Jpeg, FullOfSegmentsIsReadInOnePass) {
  const Bytes body = file_of(scene(), Scans::one);
  Bytes segments;
  for (int i = 0; i < 1'000'000; ++i) segments.insert(segments.end(), {0xff, 0xe2, 0, 2});
  expect_as(with_part(body, segments), body);
}

TEST(Jpeg, IsOrientedByItsFirstExifSegment) {
  const Bytes body = jpeg(quarters_image(64, 64));
  const Bytes turned = segment(0xe1, joined({bytes_of("Exif"), {0, 0}, exif(6)}));
  const Bytes upright = segment(0xe1, joined({bytes_of("Exif"), {0, 0}, exif(1)}));
  const Bytes xmp = segment(0xe1, bytes_of("http://ns.adobe.com/xap/1.0/ ..."));
  const Picture expected = decoded(with_part(body, turned), kColour32);
  EXPECT_GT(difference(expected, decoded(body, kColour32)), 50);
  EXPECT_EQ(decoded(with_part(body, joined({xmp, turned})), kColour32), expected);
  EXPECT_EQ(decoded(with_part(body, joined({turned, upright})), kColour32), expected);
  EXPECT_EQ(decoded(with_part(body, joined({upright, turned})), kColour32),
            decoded(body, kColour32));
}

TEST(Jpeg, OfAnotherProcessIsUnsupported) {
  const Bytes body = file_of(scene(), Scans::one);
  for (const int marker : {0xc3, 0xc5, 0xc6, 0xc7, 0xcb, 0xcd, 0xce, 0xcf, 0xf7}) {
    SCOPED_TRACE(marker);
    expect_refused(with_frame_byte(body, 1, static_cast<std::uint8_t>(marker)),
                   Reason::unsupported_image);
  }
  expect_refused(with_frame_byte(body, 4, 12), Reason::unsupported_image);
  // The height comes in a DNL segment behind the scan.
  expect_refused(with_frame_byte(with_frame_byte(body, 5, 0), 6, 0), Reason::unsupported_image);
  expect_refused(with_part(body, segment(0xde, {8, 0, 240, 1, 64, 3})), Reason::unsupported_image);
}

TEST(JpegSegments, ScansInAThumbnailOrATrailerAreNotCounted) {
  const Bytes thumbnail = file_of(scene(32, 24), Scans::progressive);
  Bytes body = with_part(file_of(scene(), Scans::progressive), segment(0xe2, thumbnail));
  body = joined({body, thumbnail, thumbnail});
  const JpegSegments segments = read_jpeg_segments(body);
  EXPECT_TRUE(segments.multiscan());
  EXPECT_EQ(segments.scans, 10);
  EXPECT_EQ(segments.width, 320);
  EXPECT_EQ(segments.height, 240);
  const std::int64_t pixels = 320 * 240;
  EXPECT_TRUE(decode(body, kColour32, {.scan_pixels_max = 10 * pixels}).has_value());
  expect_refused(body, Reason::too_many_pixels, {.scan_pixels_max = 10 * pixels - 1});
}

// Rings so fine that a shift of a tenth of a pixel of the tile would show.
TEST(Jpeg, GivesTheTileThatAPngOfItsPixelsGives) {
  for (const int side : {33, 65, 100, 130, 261, 519}) {
    SCOPED_TRACE(side);
    const auto rings = image8(side, side, 3, VIPS_INTERPRETATION_sRGB, [=](int x, int y, int) {
      const double r = std::hypot(x - (side - 1) / 2.0, y - (side - 1) / 2.0) / side;
      return static_cast<int>(127.5 + 120 * std::cos(r * 60));
    });
    const Picture of_jpeg = decoded(jpeg(rings), kColour32);
    EXPECT_LT(difference(of_jpeg, decoded(png(rings), kColour32)), 4);
    Picture mirrored = of_jpeg;
    for (int i = 0; i < 32 * 32; ++i) {
      std::copy_n(of_jpeg.pixels.begin() + (i / 32 * 32 + 31 - i % 32) * 3, 3,
                  mirrored.pixels.begin() + i * 3);
    }
    EXPECT_LT(difference(of_jpeg, mirrored), 2);
  }
}

}  // namespace
}  // namespace imaging
