#include "producer/push/push_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace producer {

namespace {

using Json = nlohmann::ordered_json;

// Rounds a float to six significant digits, so that 0.9f is printed as 0.9 and not as
// 0.8999999761581421.
double tidy(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", static_cast<double>(value));
  return std::atof(text);
}

// Rounded to microseconds.
double seconds(wire::Duration d) { return std::round(wire::to_seconds(d) * 1e6) / 1e6; }

void add_answer(Json& json, const wire::Result& result) {
  if (!result.predictions.empty()) {
    const wire::NamedPrediction& best = result.predictions.front();
    json["class"] = best.name;
    json["label"] = best.prediction.label.value;
    json["probability"] = tidy(best.prediction.probability);
  }
  Json top = Json::array();
  for (const wire::NamedPrediction& one : result.predictions) {
    top.push_back({{"class", one.name}, {"probability", tidy(one.prediction.probability)}});
  }
  json["top"] = std::move(top);
  json["source"] = std::string(to_string(result.source));
  json["broker_latency_s"] = seconds(result.latency);
  json["model"] = result.version;
  if (result.brownout) json["brownout"] = true;
}

}  // namespace

std::string json_line(const Line& line) {
  Json json;
  if (line.result.request.value > 0) json["request"] = line.result.request.value;
  json["file"] = line.file;
  if (line.kind == Line::Kind::unreadable) {
    json["status"] = "unreadable";
    json["error"] = line.error;
  } else if (line.kind == Line::Kind::interrupted) {
    json["status"] = "interrupted";
  } else if (line.kind == Line::Kind::corrected) {
    json["status"] = "corrected";
    add_answer(json, line.result);
    json["latency_s"] = seconds(line.latency);
  } else {
    json["status"] = std::string(to_string(line.result.status));
    if (line.result.status == wire::ResultStatus::answered) add_answer(json, line.result);
    json["latency_s"] = seconds(line.latency);
    if (line.result.reason != wire::Reason::none) {
      json["reason"] = std::string(to_string(line.result.reason));
    }
  }
  // A file's name may be any bytes; by default dump() throws if they are not UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string progress_line(const Tally& tally, std::uint64_t total, wire::Duration elapsed) {
  const double elapsed_s = std::max(wire::to_seconds(elapsed), 1e-9);  // Avoids 0 / 0.
  const double rate = static_cast<double>(tally.reported) / elapsed_s;
  const std::uint64_t failed = tally.reported - tally.answered;
  char text[256];
  int used = std::snprintf(
      text, sizeof text,
      "%llu answered (single %llu, collage %llu, hedge %llu), %llu without answer, "
      "%.1f images/s",
      static_cast<unsigned long long>(tally.answered),
      static_cast<unsigned long long>(tally.single), static_cast<unsigned long long>(tally.collage),
      static_cast<unsigned long long>(tally.hedge), static_cast<unsigned long long>(failed), rate);
  std::string out(text, static_cast<std::size_t>(used));
  if (tally.superseded > 0) out += ", " + std::to_string(tally.superseded) + " superseded";
  if (tally.brownout > 0) out += ", " + std::to_string(tally.brownout) + " in brownout";
  if (tally.corrected > 0) out += ", " + std::to_string(tally.corrected) + " corrected";
  if (total > 0) {
    const std::uint64_t left = total > tally.reported ? total - tally.reported : 0;
    out += ", " + std::to_string(left) + " to go";
    if (rate > 0) {
      std::snprintf(text, sizeof text, " (%.0f s)", static_cast<double>(left) / rate);
      out += text;
    }
  }
  return out;
}

}  // namespace producer
