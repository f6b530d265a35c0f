// The headers by which a request says how it is to be treated.
#pragma once

#include <optional>
#include <string>

#include "gateway/http.h"
#include "gateway/problem.h"
#include "producer/client.h"

namespace gateway {

struct RequestOptions {
  // Deadline, priority, the stream whose order is kept, and the stream of which only the newest
  // image counts; a deadline of 0 stands for the gateway's.
  producer::SubmitOptions submit;
  std::string idempotency_key;  // Empty: none.
  std::string traceparent;      // As it came, if it is well-formed (W3C Trace Context); else empty.
};

// Reads X-Collage-Deadline-Ms, -Priority, -Stream, -Latest, Idempotency-Key and traceparent.
// Returns a Problem with 400 if one of the first five is not well-formed; a traceparent that is not
// is ignored, as its specification asks.
OrProblem<RequestOptions> read_options(const RequestHead& head);

}  // namespace gateway
