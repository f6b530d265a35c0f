// Judges a request by its head, before any byte of its body is read.
#pragma once

#include <cstddef>
#include <optional>

#include "gateway/http.h"
#include "gateway/policy.h"
#include "gateway/problem.h"

namespace gateway {

// The bytes of the body that is to follow; nullopt if only its end will tell (chunked).
struct BodyLength {
  std::optional<std::size_t> bytes = 0;
};

// What is wrong with a body above body_bytes_max.
Problem body_too_large(const Policy& policy);

// Returns the length of the body.  A Problem: the length is not well-formed or said twice (400),
// the body is larger than body_bytes_max (413), or it is compressed (415).
OrProblem<BodyLength> judge_body(const RequestHead& head, const Policy& policy);

}  // namespace gateway
