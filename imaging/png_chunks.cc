#include "imaging/png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imaging {
namespace {

using namespace std::string_view_literals;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kChunkBytes = 12;   // Length, type and checksum.
constexpr std::size_t kHeaderBytes = 13;  // The data of IHDR.
constexpr std::size_t kInflatedMax = 256 * 1024;
// Chunks of text that are looked into; more are no file of a camera or an editor.
constexpr int kTextsMax = 64;

std::uint32_t number_at(Bytes body, std::size_t at) {
  return std::uint32_t{body[at]} << 24 | std::uint32_t{body[at + 1]} << 16 |
         std::uint32_t{body[at + 2]} << 8 | body[at + 3];
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Returns the first kInflatedMax bytes at most; a bomb costs no more than they do.
std::string inflated(std::string_view packed) {
  std::string out(kInflatedMax, '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  inflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The text is "\nexif\n     LENGTH\nHEX DIGITS IN LINES\n".
std::vector<std::uint8_t> unpacked_profile(std::string_view text) {
  const auto line_after = [&](std::size_t at) {
    const std::size_t end = text.find('\n', at);
    return end == text.npos ? text.size() : end + 1;
  };
  std::size_t at = text.starts_with("\n") ? 1 : 0;
  at = line_after(line_after(at));  // The name and the length.
  std::vector<std::uint8_t> out;
  int high = -1;
  for (; at < text.size(); ++at) {
    const int value = digit(text[at]);
    if (value < 0) continue;
    if (high >= 0) out.push_back(static_cast<std::uint8_t>(high * 16 + value));
    high = high >= 0 ? -1 : value;
  }
  return out;
}

// Removes a string that ends with a zero byte, and the zero.
std::string_view take_string(std::string_view& text) {
  const std::size_t end = text.find('\0');
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return taken;
}

// Returns the value of a chunk of text, if it is an EXIF profile.
std::optional<std::string> profile_text(std::string_view type, std::string_view data) {
  const std::string_view keyword = take_string(data);
  if (keyword != "Raw profile type exif" && keyword != "Raw profile type APP1") return {};
  bool packed = type == "zTXt";
  if (type == "iTXt") {
    if (data.size() < 2) return {};
    packed = data[0] != 0;
    data.remove_prefix(1);
  }
  if (packed || type == "iTXt") data.remove_prefix(std::min<std::size_t>(data.size(), 1));
  if (type == "iTXt") {
    take_string(data);  // The language.
    take_string(data);  // The translated keyword.
  }
  return packed ? inflated(data) : std::string(data.substr(0, kInflatedMax));
}

}  // namespace

std::optional<PngSize> size_of_png(Bytes body) {
  constexpr std::size_t kData = kSignatureBytes + 8;
  if (body.size() < kSignatureBytes + kChunkBytes + kHeaderBytes ||
      text_of(body.subspan(kData - 4, 4)) != "IHDR") {
    return std::nullopt;
  }
  const PngSize size{static_cast<int>(number_at(body, kData)),
                     static_cast<int>(number_at(body, kData + 4))};
  if (size.width <= 0 || size.height <= 0) return std::nullopt;
  return size;
}

Orientation orientation_of_png(Bytes body) {
  Orientation of_text = kUpright;
  int texts = 0;
  for (std::size_t at = kSignatureBytes; at + kChunkBytes <= body.size();) {
    const std::size_t length = number_at(body, at);
    if (length > body.size() - at - kChunkBytes) break;
    const std::string_view type = text_of(body.subspan(at + 4, 4));
    const Bytes data = body.subspan(at + 8, length);
    at += kChunkBytes + length;
    if (type == "eXIf") return orientation_of_exif(data);
    if (type == "IEND") break;
    if (type != "tEXt" && type != "zTXt" && type != "iTXt") continue;
    if (of_text != kUpright || ++texts > kTextsMax) continue;
    const auto profile = profile_text(type, text_of(data));
    if (profile) of_text = orientation_of_exif(unpacked_profile(*profile));
  }
  return of_text;
}

}  // namespace imaging
