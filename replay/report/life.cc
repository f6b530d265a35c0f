#include "replay/report/life.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

namespace replay::report {
namespace {

struct Event {
  std::string process, message;
};

// "2025-01-31 12:00:00.123 info    broker: step=..." or an object of JSON; whatever stands before
// it (journalctl's own time and host) is skipped.
std::optional<Event> event_of(const std::string& line) {
  if (const std::size_t brace = line.find('{'); brace != line.npos) {
    const auto json = nlohmann::json::parse(line.substr(brace), nullptr, false);
    if (json.is_object() && json.contains("process") && json.contains("message") &&
        json["process"].is_string() && json["message"].is_string()) {
      return Event{json["process"], json["message"]};
    }
  }
  const std::size_t at = line.find(": step=");
  if (at == line.npos) return std::nullopt;
  const std::string_view level = " info ";
  const std::size_t begin = line.rfind(level, at);
  if (begin == line.npos) return std::nullopt;
  const std::size_t name = line.find_first_not_of(' ', begin + level.size());
  return Event{line.substr(name, at - name), line.substr(at + 2)};
}

template <class Number>
bool read_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<LoggedStep> step_of(const Event& event) {
  if (!event.message.starts_with("step=")) return std::nullopt;
  std::map<std::string, std::string> values;
  std::istringstream words(event.message);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals != word.npos) values[word.substr(0, equals)] = word.substr(equals + 1);
  }
  LoggedStep step;
  step.process = event.process;
  step.what = values["step"];
  step.batch = values["batch"];
  step.producer = values["producer"];
  step.worker = values["worker"];
  step.source = values["source"];
  int slot = 0;
  if (read_number(values["slot"], slot)) step.slot = slot;
  double age = 0;
  if (read_number(values["age_ms"], age)) step.age_ms = age;
  read_number(values["batch_age_ms"], step.batch_age_ms);
  const bool whole = !step.what.empty() && !step.batch.empty() &&
                     (values["age_ms"].empty() || step.age_ms) &&
                     (step.producer.empty() || read_number(values["request"], step.request));
  return whole ? std::optional(step) : std::nullopt;
}

}  // namespace

std::vector<LoggedStep> read_steps(std::istream& log) {
  std::vector<LoggedStep> steps;
  for (std::string line; std::getline(log, line);) {
    const auto event = event_of(line);
    const auto step = event ? step_of(*event) : std::nullopt;
    if (step) steps.push_back(*step);
  }
  return steps;
}

std::vector<Life> lives(const std::vector<LoggedStep>& steps, std::uint64_t request,
                        const std::string& producer) {
  std::vector<Life> found;
  for (const LoggedStep& step : steps) {
    if (step.what != "admitted" || step.request != request || !step.slot ||
        !step.producer.starts_with(producer)) {
      continue;
    }
    Life life{step.producer, step.batch, request, *step.slot, {}};
    std::ranges::copy_if(steps, std::back_inserter(life.steps), [&](const LoggedStep& each) {
      return each.batch == life.batch && each.slot.value_or(life.slot) == life.slot;
    });
    for (LoggedStep& each : life.steps) {
      if (!each.slot && each.age_ms) *each.age_ms -= step.batch_age_ms;
    }
    std::ranges::stable_sort(life.steps, {}, [](const LoggedStep& each) {
      return each.age_ms.value_or(std::numeric_limits<double>::infinity());
    });
    found.push_back(std::move(life));
  }
  return found;
}

std::string life_text(const Life& life) {
  std::string text =
      fmt::format("request {} of producer {}: batch {}, slot {}\n\n{:>10}  {:<16}{}\n",
                  life.request, life.producer, life.batch, life.slot, "ms", "process", "step");
  for (const LoggedStep& step : life.steps) {
    text += fmt::format("{:>10}  {:<16}{}{}{}{}\n",
                        step.age_ms ? fmt::format("{:.3f}", *step.age_ms) : "", step.process,
                        step.what, step.slot ? "" : " the batch",
                        step.worker.empty() ? "" : ", worker " + step.worker,
                        step.source.empty() ? "" : ", " + step.source);
  }
  return text;
}

}  // namespace replay::report
