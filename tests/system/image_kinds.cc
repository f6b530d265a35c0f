#include "tests/system/image_kinds.h"

#include <algorithm>
#include <random>

#include "imaging/encode.h"
#include "tests/imaging/image_files.h"

namespace system_test {
namespace {

using imaging::Bytes;
using imaging::bytes_of;
using imaging::cut;
using imaging::joined;

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

void add_cut(std::vector<ImageFile>& files, const std::string& name, const Bytes& whole) {
  for (const double part : {0.1, 0.5, 0.9, 0.99, 0.999}) {
    files.push_back(
        {name + " cut at " + std::to_string(part), cut(whole, part), "truncated_image"});
  }
}

void add_damaged(std::vector<ImageFile>& files) {
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

void add_claims(std::vector<ImageFile>& files) {
  files.push_back(
      {"JPEG of 64250 x 64250", imaging::jpeg_claiming(64'250, 64'250), "too_many_pixels"});
  files.push_back(
      {"PNG of 64250 x 64250", imaging::png_claiming(64'250, 64'250), "too_many_pixels"});
  files.push_back({"JPEG of 1 x 60000", imaging::jpeg_claiming(1, 60'000), "too_many_pixels"});
  files.push_back({"PNG of 1 x 60000", imaging::png_claiming(1, 60'000), "too_many_pixels"});
  files.push_back({"JPEG of 100 large scans", hundred_large_scans(), "too_many_pixels"});
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

void add_odd_jpegs(std::vector<ImageFile>& files, const imaging::VipsImagePtr& shirt) {
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

}  // namespace

std::vector<ImageFile> bad_files() {
  std::vector<ImageFile> files = {
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
      {"a byte too many", Bytes(kImageBytesMax + 1, 1), "image_too_large"}};
  add_damaged(files);
  add_claims(files);
  return files;
}

std::vector<ImageFile> odd_files(const wire::Payload& png) {
  const Bytes bytes(png.bytes().begin(), png.bytes().end());
  const imaging::Picture tile = imaging::decoded(bytes, imaging::kGrey28);
  const auto shirt = imaging::image8(28, 28, 1, VIPS_INTERPRETATION_B_W,
                                     [&](int x, int y, int) { return imaging::at(tile, x, y); });
  std::vector<ImageFile> files = {
      {"WebP", webp(shirt)},
      {"PNG of a pixel", imaging::png(imaging::busy(1, 1, 3))},
      {"black PNG", imaging::encode_png(imaging::blank_tile(imaging::kGrey28))},
      {"PNG with alpha", imaging::png(imaging::busy(28, 28, 4))},
      {"interlaced PNG", imaging::png(shirt, true)},
      {"as long as may be", joined({bytes, Bytes(kImageBytesMax - bytes.size(), 1)})}};
  add_odd_jpegs(files, shirt);
  return files;
}

}  // namespace system_test
