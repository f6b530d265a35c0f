#include "producer/answer_json.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace producer {

double rounded_probability(float probability) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", static_cast<double>(probability));
  return std::atof(text);
}

double rounded_seconds(wire::Duration d) { return std::round(wire::to_seconds(d) * 1e6) / 1e6; }

void add_answer(nlohmann::ordered_json& json, const wire::Result& result) {
  if (!result.predictions.empty()) {
    const wire::NamedPrediction& best = result.predictions.front();
    json["class"] = best.name;
    json["label"] = best.prediction.label.value;
    json["probability"] = rounded_probability(best.prediction.probability);
  }
  auto top = nlohmann::ordered_json::array();
  for (const wire::NamedPrediction& one : result.predictions) {
    top.push_back(
        {{"class", one.name}, {"probability", rounded_probability(one.prediction.probability)}});
  }
  json["top"] = std::move(top);
  json["source"] = std::string(to_string(result.source));
  json["broker_latency_s"] = rounded_seconds(result.latency);
  json["model"] = result.version;
  if (result.brownout) json["brownout"] = true;
}

}  // namespace producer
