// HTTP requests and responses as values, so that what is decided about them needs no socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The request line and the headers.
struct RequestHead {
  std::string method;  // "POST".
  std::string path;    // Without the query, percent-decoded.
  HeaderList headers;  // In any order; names in any case.

  // The value of a header by its name in any case, without spaces around it; empty if there is
  // none.  Of several with one name: the first.
  std::string_view header(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  HeaderList headers;  // More headers than the content's type and length.

  void add(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
  }
};

// True if the two texts differ at most in the case of ASCII letters.
bool same_ignoring_case(std::string_view a, std::string_view b);

// The media type alone in lower case: "image/jpeg" of "Image/JPEG; q=1".
std::string media_type(std::string_view content_type);

// The text without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace gateway
