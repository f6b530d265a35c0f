// Reads multipart/form-data (RFC 7578): the files of an HTML form, of curl -F and of most clients.
//
// cpp-httplib 0.11 has a reader of its own, but matches the headers of parts with std::regex, whose
// recursion a long header can drive through the stack.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/problem.h"

namespace gateway {

struct Part {
  std::string name;      // The name of the form's field.
  std::string filename;  // Empty if the part is no file.
  std::string type;      // The media type in lower case; empty if the part does not say.
  std::string_view content;
};

// Returns the parts of a body; their contents are views into it.  `content_type` is the header with
// the boundary.  A Problem with 400: no boundary, no end, a part without a name, or more than
// `parts_max` parts.
OrProblem<std::vector<Part>> read_multipart(std::string_view content_type, std::string_view body,
                                            std::size_t parts_max);

}  // namespace gateway
