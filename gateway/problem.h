// What is wrong with a request, as a value, and as a response that says so (RFC 9457).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "gateway/http.h"
#include "wire/types.h"

namespace gateway {

struct Problem {
  int status = 400;    // The HTTP status, 400 to 599.
  std::string reason;  // One word for programs: "image_too_large"; docs/HTTP.md lists them.
  std::string detail;  // A sentence for people.
  std::optional<wire::Duration> retry_after = std::nullopt;  // With 429 and 503.
};

// A value, or what is wrong with the request that it was to be read from.
template <class Value>
using OrProblem = tl::expected<Value, Problem>;

// The phrase of a status code: "Too Many Requests".
std::string_view status_phrase(int status);

// The seconds of a Retry-After header: rounded up, at least 1, since the header has no fractions.
std::string retry_seconds(wire::Duration duration);

// application/problem+json.
Response problem_response(const Problem& problem);

// The error object of the Open Inference Protocol.
Response infer_problem_response(const Problem& problem);

}  // namespace gateway
