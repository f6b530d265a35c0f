#include "gateway/door/chunks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace gateway {
namespace {

constexpr std::size_t kLineBytesMax = 8 << 10;
constexpr std::size_t kPieceBytes = 16 << 10;

// Returns the line without its CRLF; nullopt if it is longer than `bytes_max` or ends otherwise.
std::optional<std::string> read_line(httplib::Stream& stream, std::size_t bytes_max) {
  std::string line;
  char byte = 0;
  while (line.size() < bytes_max && stream.read(&byte, 1) == 1) {
    if (byte != '\n') {
      line += byte;
      continue;
    }
    // A CR within the line would end it for some readers, as a LF alone would.
    if (line.empty() || line.find('\r') != line.size() - 1) return std::nullopt;
    line.pop_back();
    return line;
  }
  return std::nullopt;
}

// Hexadecimal digits, and extensions that nobody here knows.
std::optional<std::size_t> parse_size(std::string_view line) {
  std::string_view digits = line.substr(0, line.find(';'));
  digits = digits.substr(0, digits.find_last_not_of(" \t") + 1);
  std::size_t size = 0;
  const char* end = digits.data() + digits.size();
  const auto [parsed, error] = std::from_chars(digits.data(), end, size, 16);
  return error == std::errc() && parsed == end ? std::optional(size) : std::nullopt;
}

bool skip_trailers(httplib::Stream& stream) {
  std::size_t left = kLineBytesMax;
  while (const auto line = read_line(stream, left)) {
    if (line->empty()) return true;
    left -= line->size();
  }
  return false;
}

}  // namespace

bool read_chunks(httplib::Stream& stream,
                 const std::function<bool(const char*, std::size_t)>& take) {
  std::array<char, kPieceBytes> piece{};
  while (const auto line = read_line(stream, kLineBytesMax)) {
    std::optional<std::size_t> left = parse_size(*line);
    if (!left) return false;
    if (*left == 0) return skip_trailers(stream);
    while (*left > 0) {
      const ssize_t got = stream.read(piece.data(), std::min(*left, piece.size()));
      if (got <= 0 || !take(piece.data(), static_cast<std::size_t>(got))) return false;
      *left -= static_cast<std::size_t>(got);
    }
    if (read_line(stream, 2) != "") return false;
  }
  return false;
}

}  // namespace gateway
