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

bool same_request(const TraceEvent& a, const TraceEvent& b) {
  return a.producer == b.producer && a.request == b.request;
}

// Notes the slot that an event gives to its request, if it does.
void add_place(std::vector<Place>& places, const TraceEvent& event) {
  if (!event.slot) return;
  places.push_back({event.batch, *event.slot, event.age_ms.value_or(0) - event.batch_age_ms});
}

// The place to which an event belongs, nullptr if it belongs to none.
const Place* place_of(const std::vector<Place>& places, const TraceEvent& event) {
  const auto found = std::ranges::find_if(places, [&](const Place& place) {
    return event.batch == place.batch && event.slot.value_or(place.slot) == place.slot;
  });
  return found == places.end() ? nullptr : &*found;
}

// The trace of the request that this event admits.  What stages log of it names a batch, so it is
// found by the places that the broker gave to the request until its number was used again.
Trace trace_of(const std::vector<TraceEvent>& events,
               std::vector<TraceEvent>::const_iterator admitted) {
  const auto again = std::find_if(admitted + 1, events.end(), [&](const TraceEvent& event) {
    return event.what == "admitted" && same_request(event, *admitted);
  });
  Trace trace{admitted->producer, admitted->request, {}, {}};
  add_place(trace.places, *admitted);
  for (auto event = admitted + 1; event != again; ++event) {
    if (event->what == "placed" && same_request(*event, *admitted)) add_place(trace.places, *event);
  }
  for (auto event = events.begin(); event != events.end(); ++event) {
    const bool in_line =
        !event->slot && event >= admitted && event < again && same_request(*event, *admitted);
    const Place* place = place_of(trace.places, *event);
    if (!in_line && !place) continue;
    trace.events.push_back(*event);
    if (place && !event->slot && event->age_ms) *trace.events.back().age_ms += place->opened_ms;
  }
  std::ranges::stable_sort(trace.events, {}, [](const TraceEvent& event) {
    return event.age_ms.value_or(std::numeric_limits<double>::infinity());
  });
  return trace;
}

// To whom a step was done, where that is not plain from the step.
std::string object_of(const TraceEvent& event) {
  if (event.what == "placed" && event.slot) {
    return fmt::format(" in batch {}, slot {}", event.batch, *event.slot);
  }
  return event.slot || !event.producer.empty() ? "" : " the batch";
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
  for (auto at = events.begin(); at != events.end(); ++at) {
    if (at->what == "admitted" && at->request == request && !at->producer.empty() &&
        at->producer.starts_with(producer)) {
      found.push_back(trace_of(events, at));
    }
  }
  return found;
}

std::string trace_text(const Trace& trace) {
  std::string text = fmt::format("request {} of producer {}: ", trace.request, trace.producer);
  for (const Place& place : trace.places) {
    text += fmt::format("{}batch {}, slot {}", &place == &trace.places.front() ? "" : ", then ",
                        place.batch, place.slot);
  }
  if (trace.places.empty()) text += "in no batch";
  text += fmt::format("\n\n{:>10}  {:<16}{}\n", "ms", "process", "step");
  for (const TraceEvent& event : trace.events) {
    text += fmt::format("{:>10}  {:<16}{}{}{}{}\n",
                        event.age_ms ? fmt::format("{:.3f}", *event.age_ms) : "", event.process,
                        event.what, object_of(event),
                        event.worker.empty() ? "" : ", worker " + event.worker,
                        event.source.empty() ? "" : ", " + event.source);
  }
  return text;
}

}  // namespace replay::report
