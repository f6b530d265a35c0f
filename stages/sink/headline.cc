#include "stages/sink/headline.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "machine/trace.h"

namespace stages::sink {
namespace {

using Level = Headline::Level;
using wire::Role;
using wire::WorkerState;

constexpr wire::Duration kSilenceMin = std::chrono::seconds(5);
constexpr int kSilentHeartbeats = 10;
// Over one batch of five without cover is worth a word, as it is worth an alert
// (CollageBatchesUncovered): collage stages are busy for a moment every now and then.
constexpr std::uint64_t kUncoveredShare = 5;

// "1,234": as the page writes numbers.
std::string grouped(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t digits = 3; digits < text.size(); digits += 4) {
    text.insert(text.size() - digits, ",");
  }
  return text;
}

std::string count_of(std::uint64_t count, const char* one, const char* many) {
  return grouped(count) + " " + (count == 1 ? one : many);
}

// "3.4 %", and "under 0.1 %" for what would round to nothing.
std::string percent(std::uint64_t part, std::uint64_t whole) {
  const double share = 1000.0 * static_cast<double>(part) / static_cast<double>(whole);
  if (share < 1) return "under 0.1 %";
  const auto tenths = static_cast<std::uint64_t>(std::lround(share));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

std::string name_of(const wire::WorkerReport& worker) {
  const std::string role = worker.role == Role::classifier ? "s-CNN " : "collage stage ";
  if (worker.location.host.empty()) return role + machine::short_name(worker.worker);
  return role + std::to_string(worker.location.index) + " on " + worker.location.host;
}

struct Roll {
  std::uint64_t classifiers = 0, assemblers = 0;  // Those that serve.
  std::vector<std::string> slow, lost;
};

Roll call_roll(const BrokerView& broker) {
  Roll roll;
  for (const wire::WorkerReport& worker : broker.workers()) {
    if (worker.state == WorkerState::lost) {
      roll.lost.push_back(name_of(worker));
      continue;
    }
    if (worker.state == WorkerState::leaving) continue;
    (worker.role == Role::classifier ? roll.classifiers : roll.assemblers) += 1;
    const bool slow =
        worker.state == WorkerState::suspect || worker.state == WorkerState::probation;
    if (slow) roll.slow.push_back(name_of(worker));
  }
  return roll;
}

// Names up to three of them: "2 slow: s-CNN 3 on a2, s-CNN 5 on a2".
std::string named(const std::vector<std::string>& names, const char* what) {
  constexpr std::size_t kNamed = 3;
  std::string text = std::to_string(names.size()) + " " + what + ": ";
  for (std::size_t i = 0; i < std::min(kNamed, names.size()); ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  return text + (names.size() > kNamed ? " and more" : "");
}

void add_shortfalls(const History::Counts& recent, std::vector<std::string>& reasons) {
  if (recent.missing > 0) {
    reasons.push_back(grouped(recent.missing) + " missing in the last minute (" +
                      percent(recent.missing, recent.ended()) + ")");
  }
  if (recent.refused > 0) {
    reasons.push_back(grouped(recent.refused) + " refused in the last minute (" +
                      percent(recent.refused, recent.ended()) + ")");
  }
}

void add_faults(const Roll& roll, std::vector<std::string>& reasons) {
  if (roll.classifiers == 0) reasons.push_back("no s-CNN stage has joined: nothing is answered");
  if (!roll.lost.empty()) reasons.push_back(named(roll.lost, "lost"));
  if (!roll.slow.empty()) reasons.push_back(named(roll.slow, "slow"));
}

void add_uncovered(const Roll& roll, const History::Counts& recent,
                   std::vector<std::string>& reasons) {
  if (roll.assemblers == 0 || kUncoveredShare * recent.uncovered <= recent.batches) return;
  reasons.push_back(percent(recent.uncovered, recent.batches) +
                    " of the batches without cover: no collage stage was free");
}

std::string all_well(const Roll& roll, const History::Counts& recent) {
  std::string text = count_of(roll.classifiers, "s-CNN stage", "s-CNN stages") + " and " +
                     count_of(roll.assemblers, "collage stage", "collage stages") + ", ";
  if (recent.ended() == 0) return text + "no images in the last minute";
  return text + count_of(recent.answered(), "answer", "answers") +
         " in the last minute, none missing, none refused";
}

std::string overload(const History::Counts& recent) {
  if (recent.ended() == 0) return "more images come than the s-CNNs can do";
  return "more images come than the s-CNNs can do: in the last minute " +
         (recent.refused == 0 ? "none" : percent(recent.refused, recent.ended())) + " refused, " +
         (recent.brownout == 0 ? "none" : percent(recent.brownout, recent.ended())) +
         " answered from collages alone (brownout)";
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::ok:
      return "OK";
    case Level::degraded:
      return "DEGRADED";
    case Level::overloaded:
      return "OVERLOADED";
    case Level::no_broker:
      return "NO BROKER";
  }
  return "unknown";
}

int urgency(WorkerState state) {
  switch (state) {
    case WorkerState::lost:
      return 5;
    case WorkerState::probation:
      return 4;
    case WorkerState::suspect:
      return 3;
    case WorkerState::leaving:
      return 2;
    // Stages turn idle and ready again all the time: their rows shall not change places.
    case WorkerState::ready:
    case WorkerState::idle:
      break;
  }
  return 0;
}

Headline headline(const BrokerView& broker, const History::Counts& recent, bool joined,
                  wire::Duration heartbeat, wire::Instant now) {
  if (!joined) return {Level::no_broker, {"the broker has not welcomed this sink"}};
  if (!broker.heard()) return {Level::no_broker, {"the broker has not reported yet"}};
  if (now - *broker.heard() > std::max(kSilenceMin, kSilentHeartbeats * heartbeat)) {
    const auto silent = std::chrono::duration_cast<std::chrono::seconds>(now - *broker.heard());
    return {Level::no_broker,
            {"the broker has been silent for " + std::to_string(silent.count()) +
             " s; what it said last is shown"}};
  }
  const Roll roll = call_roll(broker);
  Headline line;
  add_faults(roll, line.reasons);
  if (broker.figure("overloaded") > 0) {
    line.level = Level::overloaded;
    line.reasons.insert(line.reasons.begin(), overload(recent));
    if (recent.missing > 0) {
      line.reasons.push_back(grouped(recent.missing) + " missing in the last minute");
    }
    return line;
  }
  add_uncovered(roll, recent, line.reasons);
  add_shortfalls(recent, line.reasons);
  line.level = line.reasons.empty() ? Level::ok : Level::degraded;
  if (line.reasons.empty()) line.reasons.push_back(all_well(roll, recent));
  return line;
}

}  // namespace stages::sink
