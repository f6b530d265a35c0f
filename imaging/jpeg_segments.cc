#include "imaging/jpeg_segments.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace imaging {
namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const std::uint8_t>;

constexpr int kSos = 0xda;
constexpr int kEoi = 0xd9;
constexpr int kApp1 = 0xe1;
constexpr int kApp2 = 0xe2;
constexpr int kDhp = 0xde;    // Opens a hierarchical file.
constexpr int kSof55 = 0xf7;  // JPEG-LS.

// 0xc4 are Huffman tables, 0xc8 is reserved and 0xcc are arithmetic conditions.
bool is_frame(int marker) {
  return (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) ||
         marker == kSof55;
}

// TEM, the restart markers, and a second SOI have no length.
bool is_bare(int marker) { return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8); }

// What may stand between two scans; anything else there belongs to no picture.
bool may_follow_scan(int marker) {
  return marker == 0xc4 || marker == 0xcc || marker == kSos || (marker >= 0xdb && marker <= 0xdd) ||
         (marker >= 0xe0 && marker <= 0xef) || marker == 0xfe;
}

bool is_restart(int marker) { return marker >= 0xd0 && marker <= 0xd7; }

// Returns the offset of the first 0xff at or after `begin`; the size if there is none.
std::size_t find_ff(Bytes body, std::size_t begin) {
  if (begin >= body.size()) return body.size();
  const void* found = std::memchr(body.data() + begin, 0xff, body.size() - begin);
  if (found == nullptr) return body.size();
  return static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - body.data());
}

// The next marker; junk before it and fill bytes are skipped, as libjpeg does.
struct Marker {
  int code = 0;  // 0: there is none.
  std::size_t end = 0;
};

Marker next_marker(Bytes body, std::size_t at) {
  for (at = find_ff(body, at); at < body.size(); at = find_ff(body, at)) {
    while (at < body.size() && body[at] == 0xff) ++at;
    if (at < body.size() && body[at] != 0) return {body[at], at + 1};
  }
  return {};
}

void read_frame(int marker, Bytes segment, JpegSegments& out) {
  if (segment.size() < 6 || out.frame != 0) return;
  out.frame = marker;
  out.precision = segment[0];
  out.height = segment[1] * 256 + segment[2];
  out.width = segment[3] * 256 + segment[4];
  out.components = segment[5];
}

void read_app1(Bytes segment, JpegSegments& out) {
  const std::string_view text(reinterpret_cast<const char*>(segment.data()), segment.size());
  if (out.has_exif || !text.starts_with("Exif\0\0"sv)) return;
  out.has_exif = true;
  out.orientation = orientation_of_exif(segment);
}

constexpr std::size_t kIccParts = 255;

void read_app2(Bytes segment, JpegSegments& out) {
  constexpr std::string_view kName = "ICC_PROFILE\0"sv;
  const std::string_view text(reinterpret_cast<const char*>(segment.data()), segment.size());
  // One part too many is kept, so that the profile is refused.
  if (!text.starts_with(kName) || out.icc_parts.size() > kIccParts) return;
  out.icc_parts.push_back(segment.subspan(kName.size()));
}

}  // namespace

bool JpegSegments::decodable() const {
  // Sequential and progressive, with Huffman or arithmetic codes.
  const bool known =
      frame == 0xc0 || frame == 0xc1 || frame == 0xc2 || frame == 0xc9 || frame == 0xca;
  return known && precision == 8 && height > 0 && !hierarchical;
}

// Not by libjpeg, which appends each segment that it saves to the end of a list: a file of nothing
// but such segments would take time by the square of their number.
std::vector<std::uint8_t> icc_of(const JpegSegments& segments) {
  const std::size_t count = segments.icc_parts.size();
  if (count > kIccParts) return {};
  std::vector<Bytes> in_order(count);
  for (const Bytes& part : segments.icc_parts) {
    const bool fits = part.size() > 2 && part[0] >= 1 && part[0] <= count && part[1] == count;
    if (!fits || !in_order[part[0] - 1u].empty()) return {};
    in_order[part[0] - 1u] = part.subspan(2);
  }
  std::vector<std::uint8_t> profile;
  for (const Bytes& part : in_order) profile.insert(profile.end(), part.begin(), part.end());
  return profile;
}

std::size_t end_of_scan(Bytes body, std::size_t begin) {
  for (std::size_t at = find_ff(body, begin); at < body.size(); at = find_ff(body, at)) {
    const std::size_t marker = at;
    while (at < body.size() && body[at] == 0xff) ++at;
    if (at < body.size() && body[at] != 0 && !is_restart(body[at])) return marker;
  }
  return body.size();
}

JpegSegments read_jpeg_segments(Bytes body) {
  JpegSegments out;
  out.scans_end = body.size();
  std::size_t at = 2;
  for (Marker marker = next_marker(body, at); marker.code != 0 && marker.code != kEoi;
       marker = next_marker(body, at)) {
    at = marker.end;
    if (out.scans > 0 && !may_follow_scan(marker.code)) break;
    if (is_bare(marker.code)) continue;
    if (at + 2 > body.size()) break;
    const std::size_t length = body[at] * std::size_t{256} + body[at + 1];
    if (length < 2) break;
    const Bytes segment = body.subspan(at + 2, std::min(length - 2, body.size() - at - 2));
    at = std::min(at + length, body.size());
    if (is_frame(marker.code)) read_frame(marker.code, segment, out);
    if (marker.code == kApp1) read_app1(segment, out);
    if (marker.code == kApp2) read_app2(segment, out);
    if (marker.code == kDhp) out.hierarchical = true;
    if (marker.code != kSos) continue;
    ++out.scans;
    const int in_scan = segment.empty() ? 0 : segment[0];
    if (!out.multiscan() && in_scan == out.components) return out;
    at = out.scans_end = end_of_scan(body, at);
  }
  return out;
}

}  // namespace imaging
