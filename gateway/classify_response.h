// Writes the response to POST /v1/classify.
#pragma once

#include <vector>

#include "gateway/classify_request.h"
#include "gateway/http.h"
#include "gateway/outcome.h"

namespace gateway {

// One image: 200 with its answer, or a problem with its status.  A list: an array with an element
// for each image in the order of the request, each with a `status`; the response's own status is
// theirs if all agree, else 207.  `outcomes` has one element an image.
Response classify_response(const ClassifyRequest& request, const std::vector<Outcome>& outcomes);

// The latency at the broker in milliseconds, for headers: "12.345".
std::string milliseconds_text(wire::Duration duration);

}  // namespace gateway
