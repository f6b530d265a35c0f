#include "replay/report/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace replay::report {
namespace {

struct LogLine {
  std::string process, message;
};

// "2025-01-31 12:00:00.123 info    broker: step=..." or an object of JSON; whatever stands before
// it (journalctl's own time and host) is skipped.
std::optional<LogLine> line_of(const std::string& line) {
  if (const std::size_t brace = line.find('{'); brace != line.npos) {
    const auto json = nlohmann::json::parse(line.substr(brace), nullptr, false);
    if (json.is_object() && json.contains("process") && json.contains("message") &&
        json["process"].is_string() && json["message"].is_string()) {
      return LogLine{json["process"], json["message"]};
    }
  }
  const std::size_t at = line.find(": step=");
  if (at == line.npos) return std::nullopt;
  const std::string_view level = " info ";
  const std::size_t begin = line.rfind(level, at);
  if (begin == line.npos) return std::nullopt;
  const std::size_t name = line.find_first_not_of(' ', begin + level.size());
  return LogLine{line.substr(name, at - name), line.substr(at + 2)};
}

template <class Number>
bool read_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<TraceEvent> trace_event_of(const LogLine& line) {
  if (!line.message.starts_with("step=")) return std::nullopt;
  std::map<std::string, std::string> values;
  std::istringstream words(line.message);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals != word.npos) values[word.substr(0, equals)] = word.substr(equals + 1);
  }
  TraceEvent event;
  event.process = line.process;
  event.what = values["step"];
  event.batch = values["batch"];
  event.producer = values["producer"];
  event.worker = values["worker"];
  event.source = values["source"];
  int slot = 0;
  if (read_number(values["slot"], slot)) event.slot = slot;
  double age = 0;
  if (read_number(values["age_ms"], age)) event.age_ms = age;
  read_number(values["batch_age_ms"], event.batch_age_ms);
  const bool whole = !event.what.empty() && !event.batch.empty() &&
                     (values["age_ms"].empty() || event.age_ms) &&
                     (event.producer.empty() || read_number(values["request"], event.request));
  return whole ? std::optional(event) : std::nullopt;
}

}  // namespace

std::vector<TraceEvent> read_trace_events(std::istream& log) {
  std::vector<TraceEvent> events;
  for (std::string line; std::getline(log, line);) {
    const auto parsed = line_of(line);
    const auto event = parsed ? trace_event_of(*parsed) : std::nullopt;
    if (event) events.push_back(*event);
  }
  return events;
}

std::vector<Trace> traces(const std::vector<TraceEvent>& events, std::uint64_t request,
                          const std::string& producer) {
  std::vector<Trace> found;
  for (const TraceEvent& event : events) {
    if (event.what != "admitted" || event.request != request || !event.slot ||
        !event.producer.starts_with(producer)) {
      continue;
    }
    Trace trace{event.producer, event.batch, request, *event.slot, {}};
    std::ranges::copy_if(events, std::back_inserter(trace.events), [&](const TraceEvent& each) {
      return each.batch == trace.batch && each.slot.value_or(trace.slot) == trace.slot;
    });
    for (TraceEvent& each : trace.events) {
      if (!each.slot && each.age_ms) *each.age_ms -= event.batch_age_ms;
    }
    std::ranges::stable_sort(trace.events, {}, [](const TraceEvent& each) {
      return each.age_ms.value_or(std::numeric_limits<double>::infinity());
    });
    found.push_back(std::move(trace));
  }
  return found;
}

std::string trace_text(const Trace& trace) {
  std::string text =
      fmt::format("request {} of producer {}: batch {}, slot {}\n\n{:>10}  {:<16}{}\n",
                  trace.request, trace.producer, trace.batch, trace.slot, "ms", "process", "step");
  for (const TraceEvent& event : trace.events) {
    text += fmt::format("{:>10}  {:<16}{}{}{}{}\n",
                        event.age_ms ? fmt::format("{:.3f}", *event.age_ms) : "", event.process,
                        event.what, event.slot ? "" : " the batch",
                        event.worker.empty() ? "" : ", worker " + event.worker,
                        event.source.empty() ? "" : ", " + event.source);
  }
  return text;
}

}  // namespace replay::report
