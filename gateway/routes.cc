#include "gateway/routes.h"

#include <algorithm>
#include <string>

namespace gateway {
namespace {

struct Route {
  std::string_view path;
  Endpoint endpoint;
};
constexpr Route kRoutes[] = {{"/v1/classify", Endpoint::classify},
                             {"/v2/models/collage/infer", Endpoint::infer},
                             {"/v2", Endpoint::server},
                             {"/v2/health/live", Endpoint::health_live},
                             {"/v2/health/ready", Endpoint::health_ready},
                             {"/v2/models/collage", Endpoint::model},
                             {"/v2/models/collage/ready", Endpoint::model_ready},
                             {"/metrics", Endpoint::metrics},
                             {"/livez", Endpoint::livez},
                             {"/readyz", Endpoint::readyz}};

bool takes_post(Endpoint endpoint) {
  return endpoint == Endpoint::classify || endpoint == Endpoint::infer;
}

// A path of the model may name its version, and any path may end in a slash.
std::string without_version(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  std::string plain(path);
  static constexpr std::string_view kVersion = "/v2/models/collage/versions/1";
  if (path == kVersion || path.starts_with(std::string(kVersion) + "/")) {
    plain.erase(std::string_view("/v2/models/collage").size(),
                std::string_view("/versions/1").size());
  }
  return plain;
}

const Route* find_route(std::string_view head_path) {
  const auto* route = std::ranges::find(kRoutes, without_version(head_path), &Route::path);
  return route == std::end(kRoutes) ? nullptr : route;
}

}  // namespace

bool is_inference_protocol(std::string_view path) {
  return path == "/v2" || path.starts_with("/v2/");
}

OrProblem<Endpoint> find_endpoint(const RequestHead& head) {
  const Route* route = find_route(head.path);
  if (route == nullptr) {
    return tl::unexpected(
        Problem{404, "not_found", "there is no such path; docs/HTTP.md lists them"});
  }
  const bool post = takes_post(route->endpoint);
  const bool right = post ? head.method == "POST" : head.method == "GET" || head.method == "HEAD";
  if (!right) {
    return tl::unexpected(Problem{405, "method_not_allowed", post ? "use POST" : "use GET"});
  }
  return route->endpoint;
}

std::string_view allowed_methods(std::string_view path) {
  const Route* route = find_route(path);
  if (route == nullptr) return {};
  return takes_post(route->endpoint) ? "POST" : "GET, HEAD";
}

}  // namespace gateway
