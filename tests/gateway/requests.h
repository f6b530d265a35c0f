// Requests and outcomes as tests of the gateway write them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/http.h"
#include "gateway/image.h"
#include "gateway/outcome.h"
#include "gateway/policy.h"

namespace gateway {

inline RequestHead head(HeaderList headers, std::string method = "POST",
                        std::string path = "/v1/classify") {
  return {std::move(method), std::move(path), std::move(headers)};
}

inline RequestHead typed(std::string content_type) {
  return head({{"content-type", std::move(content_type)}});
}

inline Body body(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

inline std::string text_of(const wire::Payload& payload) {
  return {payload.bytes().begin(), payload.bytes().end()};
}

inline std::vector<std::string> texts_of(const std::vector<Image>& images) {
  std::vector<std::string> texts;
  for (const Image& image : images) texts.push_back(text_of(image.bytes));
  return texts;
}

// "coat" before "shirt", from a collage.
inline Outcome answered() {
  Outcome outcome;
  outcome.delivered.result = {
      .request = {.value = 1},
      .status = wire::ResultStatus::answered,
      .source = wire::Source::collage,
      .latency = std::chrono::microseconds(12'345),
      .predictions = {{"coat", {{.value = 4}, 0.9F}}, {"shirt", {{.value = 6}, 0.1F}}},
      .version = "collage-1"};
  outcome.delivered.latency = std::chrono::milliseconds(14);
  return outcome;
}

inline Outcome ended(wire::ResultStatus status, wire::Reason reason = wire::Reason::none,
                     wire::Duration retry_after = {}) {
  Outcome outcome;
  outcome.delivered.result.status = status;
  outcome.delivered.result.reason = reason;
  outcome.delivered.result.retry_after = retry_after;
  return outcome;
}

// A header of a response; empty if it has none of that name.
inline std::string header_of(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (same_ignoring_case(key, name)) return value;
  }
  return {};
}

}  // namespace gateway
