// Writes the responses of the Open Inference Protocol: inference, metadata and health.
#pragma once

#include <string>
#include <vector>

#include "gateway/http.h"
#include "gateway/infer_request.h"
#include "gateway/outcome.h"

namespace gateway {

// 200 with the outputs that were asked for, if at least one image was answered.  Otherwise the
// error of the first image: a tensor has no place for a status that clients look at.
Response infer_response(const InferRequest& request, const std::vector<Outcome>& outcomes);

// GET /v2; `version` is that of the gateway.
Response server_metadata(const std::string& version);
// GET /v2/models/collage.
Response model_metadata();
// GET /v2/health/live, /v2/health/ready and /v2/models/collage/ready: 200 or 503, and the same as
// JSON under `name`.
Response health_response(const std::string& name, bool good);

}  // namespace gateway
