#include "gateway/classify_response.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "producer/answer_json.h"
#include "wire/check.h"

namespace gateway {
namespace {

using Json = nlohmann::ordered_json;

// The same members as a line of collage-push has.
Json answer_json(const producer::Delivered& delivered) {
  Json json = {{"status", "answered"}};
  producer::add_answer(json, delivered.result);
  json["latency_s"] = producer::rounded_seconds(delivered.latency);
  return json;
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Response single_response(const Image& image, const Outcome& outcome) {
  if (status_of(outcome) != 200) return problem_response(problem_of(outcome, image));
  const wire::Result& result = outcome.delivered.result;
  Response response;
  response.body = text_of(answer_json(outcome.delivered));
  response.add("X-Collage-Source", std::string(to_string(result.source)));
  response.add("X-Collage-Model", result.version);
  response.add("X-Collage-Latency-Ms", milliseconds_text(result.latency));
  return response;
}

Json element_json(std::size_t index, const Image& image, const Outcome& outcome) {
  const int status = status_of(outcome);
  Json element = {{"index", index}};
  if (!image.name.empty()) element["name"] = image.name;
  element["status"] = status;
  if (status == 200) {
    element["answer"] = answer_json(outcome.delivered);
  } else {
    const Problem problem = problem_of(outcome, image);
    element["reason"] = problem.reason;
    element["detail"] = problem.detail;
  }
  return element;
}

}  // namespace

std::string milliseconds_text(wire::Duration duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", wire::to_seconds(duration) * 1e3);
  return text;
}

Response classify_response(const ClassifyRequest& request, const std::vector<Outcome>& outcomes) {
  COLLAGE_CHECK(outcomes.size() == request.images.size() && !outcomes.empty());
  if (!request.list) return single_response(request.images.front(), outcomes.front());
  Response response;
  response.status = status_of(outcomes.front());
  Json array = Json::array();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const int status = status_of(outcomes[i]);
    if (status != response.status) response.status = 207;
    array.push_back(element_json(i, request.images[i], outcomes[i]));
  }
  response.body = text_of(array);
  std::optional<wire::Duration> retry_after;
  for (const Outcome& outcome : outcomes) {
    if (status_of(outcome) != 200) {
      retry_after = std::max(retry_after, problem_of(outcome).retry_after);
    }
  }
  if (retry_after) response.add("Retry-After", retry_seconds(*retry_after));
  return response;
}

}  // namespace gateway
