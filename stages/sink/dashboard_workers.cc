// The rows of the page's table of workers.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <span>

#include "machine/quantile.h"
#include "machine/trace.h"
#include "stages/sink/dashboard_json.h"

namespace stages::sink {
namespace {

using wire::WorkerState;

// A collage-CNN of a process of its own joins its assembler and not the broker.  It is shown beside
// the broker's workers while it answers.
constexpr wire::Duration kUnlistedShown = std::chrono::seconds(30);
// A row has some 500 bytes, and the page asks for all of them twice a second.
constexpr std::size_t kRowsMax = 200;

std::string time_text(wire::Duration time) {
  char text[32];
  const double s = wire::to_seconds(time);
  if (s < 1) {
    std::snprintf(text, sizeof(text), "%.0f ms", 1000 * s);
  } else if (s < 10) {
    std::snprintf(text, sizeof(text), "%.1f s", s);
  } else if (s < 120) {
    std::snprintf(text, sizeof(text), "%.0f s", s);
  } else {
    std::snprintf(text, sizeof(text), "%.0f min", s / 60);
  }
  return text;
}

std::string loss_text(wire::LossCause cause) {
  switch (cause) {
    case wire::LossCause::silence:
      return "it had no task and sent no heartbeat";
    case wire::LossCause::connection:
      return "its connection failed";
    case wire::LossCause::task_age:
      return "it held a task for longer than task_age_max";
    case wire::LossCause::none:
      break;
  }
  return "";
}

std::string probation_text(const wire::WorkerReport& worker) {
  std::string text = "its last tasks took " + time_text(worker.service_median) + ", usual are " +
                     time_text(worker.service_usual) + "; on probation, ";
  return text + (worker.next_probe > wire::Duration::zero()
                     ? "next probe in " + time_text(worker.next_probe)
                     : "the next probe is due");
}

// The role as people call it.
std::string role_text(wire::Role role) {
  return role == wire::Role::classifier ? "s-CNN" : "collage stage";
}

Json answers_json(const DashboardState::Worker& worker, const std::vector<std::string>& labels,
                  wire::Instant now) {
  Json answers = Json::array();
  for (auto answer = worker.latest.rbegin(); answer != worker.latest.rend(); ++answer) {
    Json one = {{"ago_s", wire::to_seconds(now - answer->at)},
                {"batch", answer->batch.sequence.value},
                {"service_s", wire::to_seconds(answer->service)}};
    if (answer->top) {
      one["label"] = name_of(labels, answer->top->label);
      one["probability"] = answer->top->probability;
    }
    answers.push_back(std::move(one));
  }
  return answers;
}

// What the sink itself has had from the worker; nothing but `answers` if that is nothing.
void add_answers(Json& row, const DashboardState::Worker* worker,
                 const std::vector<std::string>& labels, wire::Instant now) {
  row["answers"] = worker ? worker->answers : 0;
  if (!worker) return;
  if (!worker->version.empty()) row["model"] = worker->version;
  row["last_answer_s"] = wire::to_seconds(now - worker->heard);
  std::vector<wire::Duration> sorted(worker->ages.begin(), worker->ages.end());
  std::ranges::sort(sorted);
  row["p50_s"] = wire::to_seconds(machine::quantile(sorted, 0.5));
  row["p95_s"] = wire::to_seconds(machine::quantile(sorted, 0.95));
  Json ages = Json::array();
  // In milliseconds with three digits: sixty of them a worker, twice a second.
  for (const wire::Duration age : worker->ages) {
    ages.push_back(std::round(1e6 * wire::to_seconds(age)) / 1e6);
  }
  row["ages_s"] = std::move(ages);
  row["latest"] = answers_json(*worker, labels, now);
}

Json report_json(const wire::WorkerReport& worker) {
  return {{"id", machine::short_name(worker.worker)},
          {"role", role_text(worker.role)},
          {"host", worker.location.host},
          {"unit", worker.location.unit},
          {"index", worker.location.index},
          {"pid", worker.location.pid},
          {"model", worker.model.version},
          {"state", std::string(to_string(worker.state))},
          {"reason", reason_text(worker)},
          {"since_s", wire::to_seconds(worker.since)},
          {"heard_s", wire::to_seconds(worker.heard)},
          {"tasks", worker.tasks},
          {"capacity", worker.capacity},
          {"log", log_command(worker.location)}};
}

Json unlisted_json(const DashboardState::Worker& worker) {
  return {{"id", machine::short_name(worker.id)},
          {"role", "collage-CNN"},
          {"state", "ready"},
          {"reason", "it answers; its assembler speaks for it to the broker"},
          {"log", ""}};
}

}  // namespace

std::string reason_text(const wire::WorkerReport& worker) {
  switch (worker.state) {
    case WorkerState::lost:
      return loss_text(worker.cause);
    case WorkerState::probation:
      return probation_text(worker);
    case WorkerState::suspect:
      return "its oldest task is " + time_text(worker.oldest_task) + " old";
    case WorkerState::leaving:
      return "it asked for no further tasks";
    case WorkerState::idle:
      return "it has had no task for a while";
    case WorkerState::ready:
      break;
  }
  return "";
}

std::string log_command(const wire::Location& location) {
  if (location.host.empty()) return "";
  // The text comes from a peer, and people paste the command into a shell.
  constexpr std::string_view kUnitCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.@-";
  if (location.unit.find_first_not_of(kUnitCharacters) != std::string::npos) return "";
  if (!location.unit.empty()) return "journalctl -u " + location.unit + " --since -15min";
  return "journalctl _PID=" + std::to_string(location.pid) + " --since -15min";
}

Json workers_json(const Sink& sink, const std::vector<std::string>& labels, wire::Instant now) {
  std::vector<wire::WorkerReport> reports = sink.broker().workers();
  std::ranges::stable_sort(reports, std::ranges::greater(),
                           [](const wire::WorkerReport& worker) { return urgency(worker.state); });
  const auto& heard = sink.dashboard().workers();
  // The list is as old as its message.
  const wire::Duration old =
      sink.broker().listed() ? now - *sink.broker().listed() : wire::Duration::zero();
  Json rows = Json::array();
  for (wire::WorkerReport& report : std::span(reports).first(std::min(reports.size(), kRowsMax))) {
    report.since += old;
    report.heard += old;
    report.next_probe = std::max(report.next_probe - old, wire::Duration::zero());
    Json row = report_json(report);
    const auto found = heard.find(report.worker);
    add_answers(row, found == heard.end() ? nullptr : &found->second, labels, now);
    rows.push_back(std::move(row));
  }
  for (const auto& [id, worker] : heard) {
    const bool listed =
        std::ranges::find(reports, id, &wire::WorkerReport::worker) != reports.end();
    if (listed || !worker.collage || now - worker.heard > kUnlistedShown) continue;
    if (rows.size() >= kRowsMax) break;
    Json row = unlisted_json(worker);
    add_answers(row, &worker, labels, now);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace stages::sink
