#include "gateway/problem.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace gateway {
namespace {

using Json = nlohmann::ordered_json;

Response with_status(const Problem& problem, std::string type, const Json& body) {
  Response response;
  response.status = problem.status;
  response.type = std::move(type);
  // A detail may quote what a client sent, and that need not be UTF-8.
  response.body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (problem.retry_after) response.add("Retry-After", retry_seconds(*problem.retry_after));
  return response;
}

}  // namespace

std::string_view status_phrase(int status) {
  static constexpr std::pair<int, std::string_view> kPhrases[] = {
      {200, "OK"},
      {207, "Multi-Status"},
      {400, "Bad Request"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {499, "Client Closed Request"},
      {500, "Internal Server Error"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"}};
  const auto* found = std::ranges::find(kPhrases, status, &std::pair<int, std::string_view>::first);
  return found == std::end(kPhrases) ? "Error" : found->second;
}

std::string retry_seconds(wire::Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return std::to_string(std::max<std::int64_t>(1, seconds));
}

Response problem_response(const Problem& problem) {
  const Json body = {{"type", "about:blank"},
                     {"title", std::string(status_phrase(problem.status))},
                     {"status", problem.status},
                     {"detail", problem.detail},
                     {"reason", problem.reason}};
  return with_status(problem, "application/problem+json", body);
}

Response infer_problem_response(const Problem& problem) {
  const Json body = {{"error", problem.reason + ": " + problem.detail}};
  return with_status(problem, "application/json", body);
}

}  // namespace gateway
