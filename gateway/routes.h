// Which paths the gateway has, and by which methods.
#pragma once

#include <cstdint>
#include <string_view>

#include "gateway/http.h"
#include "gateway/problem.h"

namespace gateway {

enum class Endpoint : std::uint8_t {
  classify,      // POST /v1/classify
  infer,         // POST /v2/models/collage/infer
  server,        // GET /v2
  health_live,   // GET /v2/health/live
  health_ready,  // GET /v2/health/ready
  model,         // GET /v2/models/collage
  model_ready,   // GET /v2/models/collage/ready
  metrics,       // GET /metrics
  livez,         // GET /livez
  readyz,        // GET /readyz
};

// The only model of the protocol, and its only version.  The networks have versions of their own;
// each answer names that of the network that gave it.
inline constexpr std::string_view kModelName = "collage";
inline constexpr std::string_view kModelVersion = "1";

// True if errors at this path are those of the Open Inference Protocol.
bool is_inference_protocol(std::string_view path);

// Returns the endpoint of a request; a Problem with 404 or 405 if there is none.
OrProblem<Endpoint> find_endpoint(const RequestHead& head);

// The value of the header Allow for a path: "GET, HEAD"; empty if there is no such path.
std::string_view allowed_methods(std::string_view path);

}  // namespace gateway
