#include "gateway/multipart.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/http.h"

namespace gateway {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::size_t kBoundaryMax = 70;      // By RFC 2046.
constexpr std::size_t kHeadersMax = 8 << 10;  // Of one part.

tl::unexpected<Problem> bad_multipart(std::string detail) {
  return tl::unexpected(Problem{400, "bad_multipart", std::move(detail)});
}

// Takes a quoted text with its escapes off the front of `text`, or a plain one up to a semicolon.
std::string take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(';'), text.size());
    value = trimmed(text.substr(0, end));
    text.remove_prefix(end);
    return value;
  }
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    // Browsers write %22 for a quote, so a backslash before anything else is a backslash.
    const bool escape =
        text.front() == '\\' && text.size() > 1 && (text[1] == '"' || text[1] == '\\');
    if (escape) text.remove_prefix(1);
    value += text.front();
    text.remove_prefix(1);
  }
  if (!text.empty()) text.remove_prefix(1);
  return value;
}

// The value of a parameter of a header such as `form-data; name="a"; filename="b.png"`.
std::optional<std::string> parameter(std::string_view header, std::string_view name) {
  std::string_view rest = header.substr(std::min(header.find(';'), header.size()));
  while (rest.starts_with(';')) {
    rest = trimmed(rest.substr(1));
    const std::size_t equals = rest.find_first_of("=;");
    if (equals == rest.npos) return std::nullopt;
    const bool has_value = rest[equals] == '=';
    const std::string_view key = trimmed(rest.substr(0, equals));
    rest.remove_prefix(equals + (has_value ? 1 : 0));
    std::string value = has_value ? take_value(rest) : std::string();
    if (same_ignoring_case(key, name)) return value;
    rest = rest.substr(std::min(rest.find(';'), rest.size()));
  }
  return std::nullopt;
}

// Reads one header line of a part; others than these two have no meaning here.
void read_line(std::string_view line, Part& part) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same_ignoring_case(name, "Content-Type")) part.type = media_type(value);
  if (!same_ignoring_case(name, "Content-Disposition")) return;
  part.name = parameter(value, "name").value_or("");
  part.filename = parameter(value, "filename").value_or("");
}

// Reads a part from behind its delimiter line to before the next delimiter.
std::optional<Part> read_part(std::string_view text) {
  Part part;
  for (std::size_t read = 0; read <= kHeadersMax;) {
    const std::size_t end = text.find(kCrlf);
    if (end == text.npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + kCrlf.size());
    if (line.empty()) {
      part.content = text;
      return part.name.empty() ? std::nullopt : std::optional(part);
    }
    read += end;
    read_line(line, part);
  }
  return std::nullopt;
}

}  // namespace

OrProblem<std::vector<Part>> read_multipart(std::string_view content_type, std::string_view body,
                                            std::size_t parts_max) {
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kBoundaryMax) {
    return bad_multipart("Content-Type: expected a boundary of 1 to 70 characters");
  }
  const std::string delimiter = "\r\n--" + *boundary;
  // The first delimiter may stand at the very beginning, without a line end before it.
  std::size_t at =
      body.starts_with(std::string_view(delimiter).substr(kCrlf.size())) ? 0 : body.find(delimiter);
  if (at == body.npos) return bad_multipart("the boundary of Content-Type is not in the body");
  std::string_view rest = body.substr(at + delimiter.size() - (at == 0 ? kCrlf.size() : 0));
  std::vector<Part> parts;
  while (!rest.starts_with("--")) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (!rest.starts_with(kCrlf)) return bad_multipart("text behind a boundary");
    rest.remove_prefix(kCrlf.size());
    const std::size_t end = rest.find(delimiter);
    if (end == rest.npos) return bad_multipart("the last boundary is missing");
    if (parts.size() == parts_max) return bad_multipart("too many parts");
    auto part = read_part(rest.substr(0, end));
    if (!part) return bad_multipart("a part has no name or no end of its headers");
    parts.push_back(std::move(*part));
    rest.remove_prefix(end + delimiter.size());
  }
  return parts;
}

}  // namespace gateway
