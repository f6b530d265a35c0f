#include "producer/push/push_report.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "producer/answer_json.h"
#include "wire/utf8.h"

namespace producer {

namespace {

using Json = nlohmann::ordered_json;

struct Name {
  std::string text;   // UTF-8.
  bool exact = true;  // Whether `text` is the name itself.
};

// Writes bytes that are not UTF-8 as \xHH: with U+FFFD for all of them, two names would look alike.
Name name_of(std::string_view bytes) {
  Name name;
  while (!bytes.empty()) {
    // The longest begin that is UTF-8: a character has four bytes at most.
    std::size_t size = std::min<std::size_t>(bytes.size(), 4);
    while (size > 0 && !wire::valid_utf8(bytes.substr(0, size))) --size;
    if (size > 0) {
      name.text += bytes.substr(0, size);
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned char>(bytes[0]));
      name.text += escaped;
      name.exact = false;
      size = 1;
    }
    bytes.remove_prefix(size);
  }
  return name;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) -> unsigned {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    const unsigned three = at(0) << 16 | at(1) << 8 | at(2);
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > bytes.size();
      text += padding ? '=' : kDigits[three >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

std::string_view status_of(const Line& line) {
  switch (line.kind) {
    case Line::Kind::unreadable:
      return "unreadable";
    case Line::Kind::interrupted:
      return "interrupted";
    case Line::Kind::corrected:
      return "corrected";
    case Line::Kind::delivered:
      break;
  }
  return to_string(line.result.status);
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string with_unit(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::string json_line(const Line& line) {
  Json json;
  const Name name = name_of(line.file);
  if (line.result.request.value > 0) json["request"] = line.result.request.value;
  json["file"] = name.text;
  if (!name.exact) json["file_base64"] = base64(line.file);
  json["status"] = std::string(status_of(line));
  if (line.kind == Line::Kind::unreadable) {
    json["error"] = line.error;
  } else if (line.kind != Line::Kind::interrupted) {
    if (line.result.status == wire::ResultStatus::answered) add_answer(json, line.result);
    json["latency_s"] = rounded_seconds(line.latency);
    if (line.result.reason != wire::Reason::none) {
      json["reason"] = std::string(to_string(line.result.reason));
    }
    if (!line.format.empty()) json["format"] = line.format;
  }
  // An error may have a name in it.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string csv_header() {
  return "request,file,status,class,label,probability,source,latency_s,broker_latency_s,model,"
         "brownout,reason,error,file_base64,format";
}

std::string csv_line(const Line& line) {
  const wire::Result& result = line.result;
  const Name name = name_of(line.file);
  const bool answered = status_of(line) == "answered" || line.kind == Line::Kind::corrected;
  const bool timed = line.kind == Line::Kind::delivered || line.kind == Line::Kind::corrected;
  const wire::NamedPrediction* best =
      answered && !result.predictions.empty() ? &result.predictions.front() : nullptr;
  const std::string fields[] = {
      result.request.value > 0 ? std::to_string(result.request.value) : "",
      name.text,
      std::string(status_of(line)),
      best ? best->name : "",
      best ? std::to_string(best->prediction.label.value) : "",
      best ? Json(rounded_probability(best->prediction.probability)).dump() : "",
      answered ? std::string(to_string(result.source)) : "",
      timed ? Json(rounded_seconds(line.latency)).dump() : "",
      answered ? Json(rounded_seconds(result.latency)).dump() : "",
      answered ? result.version : "",
      answered && result.brownout ? "true" : "",
      result.reason != wire::Reason::none ? std::string(to_string(result.reason)) : "",
      line.error,
      name.exact ? "" : base64(line.file),
      line.format};
  std::string text;
  for (const std::string& field : fields) text += csv_field(field) + ",";
  text.pop_back();
  return text;
}

std::string progress_line(const Tally& tally, std::uint64_t total, wire::Duration elapsed,
                          std::size_t columns) {
  const double elapsed_s = std::max(wire::to_seconds(elapsed), 1e-9);  // Avoids 0 / 0.
  const double rate = static_cast<double>(tally.reported) / elapsed_s;
  std::string text = std::to_string(tally.reported);
  if (total > 0) text += "/" + std::to_string(total);
  text += with_unit(", %.1f/s", rate);
  if (total > tally.reported && rate > 0) {
    text += with_unit(", %.0f s left", static_cast<double>(total - tally.reported) / rate);
  }
  // The most important first, for the line is cut at its end.
  if (tally.reported > tally.answered) {
    text += ", " + std::to_string(tally.reported - tally.answered) + " without answer";
  }
  if (tally.latencies.count() > 0) {
    text += with_unit(", p50 %.3g s", wire::to_seconds(tally.latencies.quantile(0.5)));
    text += with_unit(", p99 %.3g s", wire::to_seconds(tally.latencies.quantile(0.99)));
  }
  if (tally.collage > 0) text += ", " + std::to_string(tally.collage) + " by collage";
  return text.substr(0, columns);
}

std::string summary(const Tally& tally, wire::Duration elapsed) {
  const double elapsed_s = std::max(wire::to_seconds(elapsed), 1e-9);
  const auto count = [](std::uint64_t n) { return std::to_string(n); };
  std::string text = count(tally.answered) + " of " + count(tally.reported) + " answered";
  text += with_unit(" in %.3g s", elapsed_s);
  text += with_unit(" (%.1f/s): ", static_cast<double>(tally.reported) / elapsed_s);
  text += "single " + count(tally.single) + ", collage " + count(tally.collage) + ", hedge " +
          count(tally.hedge);
  if (tally.brownout > 0) text += ", in brownout " + count(tally.brownout);
  if (tally.corrected > 0) text += ", corrected " + count(tally.corrected);
  text += "\n";
  if (const Latencies& all = tally.latencies; all.count() > 0) {
    text += "latency:";
    for (const auto& [name, p] : {std::pair{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}}) {
      text += std::string(" ") + name + with_unit(" %.3g s,", wire::to_seconds(all.quantile(p)));
    }
    text += with_unit(" max %.3g s\n", wire::to_seconds(all.max()));
  }
  for (const auto& [cause, n] : tally.causes) text += count(n) + " " + cause + "\n";
  return text;
}

}  // namespace producer
