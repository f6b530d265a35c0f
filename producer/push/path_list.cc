#include "producer/push/path_list.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace producer {

namespace {

using namespace std::string_view_literals;

struct Magic {
  std::size_t at;  // Where the bytes are.
  std::string_view bytes;
  const char* what;
};

// Files that users mistake for a list, by what no list of paths begins with.
constexpr Magic kMagics[] = {
    {0, "\xff\xd8\xff"sv, "a JPEG image"}, {0, "\x89PNG\r\n\x1a\n"sv, "a PNG image"},
    {0, "GIF87a"sv, "a GIF image"},        {0, "GIF89a"sv, "a GIF image"},
    {8, "WEBP"sv, "a WebP image"},         {6, "\0\0\0\0"sv, "a BMP image"},
    {0, "II*\0"sv, "a TIFF image"},        {0, "MM\0*"sv, "a TIFF image"},
    {0, "II+\0"sv, "a TIFF image"},        {0, "\0\0\0"sv, "an image (HEIC, AVIF or JPEG 2000)"},
    {0, "\0\0\1\0"sv, "an ICO image"},     {0, "8BPS\0"sv, "a PSD image"},
    {0, "\x1f\x8b"sv, "gzip data"},        {0, "PK\x03\x04"sv, "a ZIP archive"},
    {0, "%PDF-"sv, "a PDF file"},          {0, "<svg"sv, "an SVG image"},
    {0, "<?xml"sv, "an SVG or XML file"},
};

const char* recognise(std::string_view begin) {
  for (const Magic& magic : kMagics) {
    if (begin.size() < magic.at + magic.bytes.size()) continue;
    if (begin.substr(magic.at, magic.bytes.size()) != magic.bytes) continue;
    // These bytes could be a path's, but for what stands before them.
    if (magic.at == 8 && !begin.starts_with("RIFF")) continue;
    if (magic.at == 6 && !begin.starts_with("BM")) continue;
    return magic.what;
  }
  // With a Latin letter behind the mark, for a name may be any bytes but NUL.
  const bool little = begin.starts_with("\xff\xfe") && begin.size() > 3 && begin[3] == '\0';
  const bool big = begin.starts_with("\xfe\xff") && begin.size() > 3 && begin[2] == '\0';
  return little || big ? "text in UTF-16, expected UTF-8" : nullptr;
}

}  // namespace

PathList::Next PathList::next(std::string& text) {
  for (;;) {
    const std::size_t end = find_end();
    const bool whole = end != std::string::npos;
    if (!begun_ && (whole || ended_ || buffer_.size() > kPathMax)) {
      const std::string wrong = begin();
      if (!wrong.empty()) return fail(text, wrong);
      continue;  // It may have decided what ends a path.
    }
    if (whole ? end > kPathMax : buffer_.size() > kPathMax) {
      return fail(text, "a path is longer than " + std::to_string(kPathMax) + " bytes");
    }
    if (whole || (ended_ && error_ == 0 && !buffer_.empty())) {
      text = buffer_.substr(0, end);
      buffer_.erase(0, whole ? end + 1 : end);
      return Next::path;
    }
    if (error_ != 0) {
      // A closed standard input is the usual case of a descriptor that is none.
      return fail(text, error_ == EBADF ? "it is closed" : std::strerror(error_));
    }
    if (ended_) return Next::end;
    if (fill() == Read::later) return Next::later;
  }
}

PathList::Next PathList::fail(std::string& text, const std::string& why) {
  text = why;
  buffer_.clear();
  begun_ = ended_ = true;
  error_ = 0;
  return Next::fault;
}

std::size_t PathList::find_end() const {
  return null_ ? buffer_.find('\0') : buffer_.find_first_of("\n\0"sv);
}

// Looks at the first bytes.  Returns what the list is instead of a list; empty if it is one.
std::string PathList::begin() {
  begun_ = true;
  if (const char* what = recognise(buffer_)) return std::string("it is ") + what;
  if (buffer_.starts_with("\xef\xbb\xbf")) buffer_.erase(0, 3);
  null_ = buffer_.find('\0') != std::string::npos;
  return {};
}

// Reads once.  It polls first, because the descriptor may be a terminal or a pipe in blocking mode,
// and a read would keep the client from its messages.
PathList::Read PathList::fill() {
  pollfd ready{.fd = descriptor_, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, 0) <= 0) return Read::later;
  std::array<char, 4096> block;
  const ssize_t count = read(descriptor_, block.data(), block.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return Read::later;
  if (count < 0) error_ = errno;
  if (count <= 0) {
    ended_ = true;
    return Read::end;
  }
  buffer_.append(block.data(), static_cast<std::size_t>(count));
  return Read::some;
}

}  // namespace producer
