#include "broker/worker_book.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "machine/trace.h"
#include "wire/codec.h"

namespace broker {
namespace {

using wire::WorkerState;

WorkerState state_of(const Roster::Worker& worker, bool quiet) {
  switch (worker.state()) {
    case Roster::State::leaving:
      return WorkerState::leaving;
    case Roster::State::probation:
      return WorkerState::probation;
    case Roster::State::suspect:
      return WorkerState::suspect;
    case Roster::State::well:
      break;
  }
  return quiet && worker.outstanding() == 0 ? WorkerState::idle : WorkerState::ready;
}

bool same_place(const wire::WorkerReport& one, const wire::WorkerReport& other) {
  return !one.location.host.empty() && one.role == other.role &&
         one.location.host == other.location.host && one.location.index == other.location.index;
}

}  // namespace

void WorkerBook::on_joined(const wire::WorkerHello& hello, wire::Instant now) {
  const auto known = entries_.find(hello.worker);
  const bool serves = known != entries_.end() && known->second.report.state != WorkerState::lost;
  wire::WorkerReport fresh;
  fresh.worker = hello.worker;
  fresh.role = hello.role;
  fresh.model = hello.model;
  fresh.location = hello.location;
  fresh.capacity = hello.capacity;
  if (serves) return;  // It says hello again: our welcome has not reached it.
  std::erase_if(entries_, [&](const auto& entry) {
    const wire::WorkerReport& report = entry.second.report;
    return report.state == WorkerState::lost && same_place(report, fresh);
  });
  entries_[hello.worker] = {std::move(fresh), now, now, now};
}

void WorkerBook::on_lost(wire::WorkerId id, wire::LossCause cause, bool leaving,
                         wire::Instant now) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  wire::WorkerReport& report = found->second.report;
  // It left as it said it would; or its successor has joined already, for a process may be started
  // again sooner than the silence of the one before is noticed.
  if (leaving || succeeded(found->second)) {
    entries_.erase(found);
    return;
  }
  report.state = WorkerState::lost;
  report.cause = cause;
  report.tasks = 0;
  report.oldest_task = report.next_probe = {};
  found->second.since = now;
  forget_lost(now);
}

bool WorkerBook::succeeded(const Entry& gone) const {
  return std::ranges::any_of(entries_, [&](const auto& other) {
    const Entry& entry = other.second;
    return entry.report.worker != gone.report.worker && entry.report.state != WorkerState::lost &&
           same_place(entry.report, gone.report) && entry.joined >= gone.heard;
  });
}

void WorkerBook::forget_lost(wire::Instant now) {
  const auto lost = [](const auto& entry) {
    return entry.second.report.state == WorkerState::lost;
  };
  std::erase_if(entries_, [&](const auto& entry) {
    return lost(entry) && now - entry.second.since > policy_.lost_kept;
  });
  while (static_cast<std::size_t>(std::ranges::count_if(entries_, lost)) > policy_.lost_max) {
    auto oldest = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (!lost(*entry)) continue;
      if (oldest == entries_.end() || entry->second.since < oldest->second.since) oldest = entry;
    }
    entries_.erase(oldest);
  }
}

void WorkerBook::update(const Roster& roster, wire::Instant now) {
  for (const auto& [id, worker] : roster.workers()) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) continue;
    Entry& entry = found->second;
    wire::WorkerReport& report = entry.report;
    const wire::Instant last = std::max(worker.done, entry.joined);
    const WorkerState state = state_of(worker, now - last >= policy_.idle_after);
    if (state != report.state) {
      report.state = state;
      entry.since = state == WorkerState::idle ? last : now;
    }
    entry.heard = worker.heard;
    report.tasks = static_cast<std::uint32_t>(worker.outstanding());
    report.oldest_task =
        worker.sent.empty() ? wire::Duration::zero() : now - worker.sent.front().at;
    report.service_median = worker.health.median().value_or(wire::Duration::zero());
    report.service_usual = roster.usual().value_or(wire::Duration::zero());
    const bool waits = state == WorkerState::probation && worker.probe_at > now;
    report.next_probe = waits ? worker.probe_at - now : wire::Duration::zero();
  }
}

void WorkerBook::update(const Roster& classifiers, const Roster& assemblers, wire::Instant now) {
  update(classifiers, now);
  update(assemblers, now);
  forget_lost(now);
}

std::vector<wire::WorkerReport> WorkerBook::reports(wire::Instant now) const {
  std::vector<wire::WorkerReport> reports;
  for (const auto& [id, entry] : entries_) {
    reports.push_back(entry.report);
    reports.back().since = now - entry.since;
    reports.back().heard = now - entry.heard;
  }
  std::ranges::sort(reports, {}, [](const wire::WorkerReport& report) {
    return std::tie(report.role, report.location.host, report.location.index, report.worker);
  });
  return reports;
}

std::vector<wire::WorkerStates> WorkerBook::messages(wire::Instant now) const {
  const std::vector<wire::WorkerReport> all = reports(now);
  std::vector<wire::WorkerStates> messages;
  std::size_t first = 0;
  do {
    const std::size_t last = std::min(all.size(), first + wire::kWorkersMax);
    wire::WorkerStates& message = messages.emplace_back();
    message.first = static_cast<std::uint32_t>(first);
    message.total = static_cast<std::uint32_t>(all.size());
    message.workers.assign(all.begin() + static_cast<std::ptrdiff_t>(first),
                           all.begin() + static_cast<std::ptrdiff_t>(last));
    first = last;
  } while (first < all.size());
  return messages;
}

std::string WorkerBook::described(wire::WorkerId id) const {
  const auto found = entries_.find(id);
  const std::string place =
      found == entries_.end() ? "" : place_text(found->second.report.location);
  return machine::short_name(id) + (place.empty() ? "" : " (" + place + ")");
}

std::string place_text(const wire::Location& location) {
  if (location.host.empty()) return "";
  std::string text = "index " + std::to_string(location.index) + " on " + location.host;
  if (location.pid != 0) text += ", pid " + std::to_string(location.pid);
  if (!location.unit.empty()) text += ", " + location.unit;
  return text;
}

}  // namespace broker
