#include "gateway/json_text.h"

#include <algorithm>
#include <string>

namespace gateway {
namespace {

struct Extent {
  int depth = 0;           // The deepest nesting.
  std::size_t values = 1;  // At least the number of values and keys.
};

// The place of the quote that ends the text which begins at `begin`; the size if none does.
std::size_t end_of_text(std::string_view json, std::size_t begin) {
  std::size_t i = begin + 1;
  while ((i = json.find_first_of("\"\\", i)) < json.size()) {
    if (json[i] == '"') return i;
    i += 2;  // The backslash and what it escapes.
  }
  return json.size();
}

// Counts brackets and separators outside of texts.  It comes before the parser, which needs memory
// for every level of "[[[[..." and every value of "[0,0,0,...", many times what the body takes.
Extent extent_of(std::string_view text) {
  Extent extent;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      i = end_of_text(text, i);
    } else if (c == '[' || c == '{') {
      extent.depth = std::max(extent.depth, ++depth);
      ++extent.values;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' || c == ':') {
      ++extent.values;
    }
  }
  return extent;
}

}  // namespace

OrProblem<nlohmann::json> read_json(std::string_view text, std::size_t values_max) {
  const auto wrong = [](const std::string& detail) {
    return tl::unexpected(Problem{400, "bad_json", detail});
  };
  const Extent extent = extent_of(text);
  if (extent.depth > kJsonDepthMax) return wrong("the JSON is nested too deeply");
  if (extent.values > values_max) return wrong("the JSON has too many values");
  nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) return wrong("the body is not JSON");
  return document;
}

}  // namespace gateway
