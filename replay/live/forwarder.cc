#include "replay/live/forwarder.h"

#include <algorithm>
#include <utility>

#include "replay/load/invalid_answer.h"
#include "wire/check.h"

namespace replay::live {

// A restarted process is a new peer.  It takes the upstream of the oldest peer, whose connection is
// gone: connection ids only rise, and the map is ordered by them.
std::optional<machine::Peer> Forwarder::other_end(machine::Peer from) {
  const bool of_stage = from.link % (1 + kUpstreams) == 0;
  std::map<machine::Peer, machine::Peer>& known = of_stage ? upstream_of_ : stage_of_;
  if (const auto found = known.find(from); found != known.end()) return found->second;
  if (!of_stage) return std::nullopt;  // No stage has connected yet.
  const auto same_way = [&](const auto& pair) { return pair.first.link == from.link; };
  if (std::ranges::count_if(upstream_of_, same_way) == kUpstreams) {
    const auto oldest = std::ranges::find_if(upstream_of_, same_way);
    last_due_.erase(oldest->first);
    stage_of_.erase(oldest->second);
    upstream_of_.erase(oldest);
  }
  for (std::uint32_t i = 1; i <= kUpstreams; ++i) {
    const machine::Peer upstream{from.link + i, 0};
    if (stage_of_.contains(upstream)) continue;
    upstream_of_[from] = upstream;
    stage_of_[upstream] = from;
    return upstream;
  }
  return std::nullopt;
}

void Forwarder::garble(wire::Message& message) {
  if (auto* answer = std::get_if<wire::Answer>(&message)) {
    answer->verdict.predictions = load::invalid_answer();
  } else if (auto* collage = std::get_if<wire::CollageAnswer>(&message)) {
    for (wire::Predictions& cell : collage->cells) cell = load::invalid_answer();
  } else {
    return;
  }
  counters_.garbled += 1;
}

machine::Actions Forwarder::on_message(machine::Peer from, wire::Message message,
                                       wire::Instant now) {
  machine::Actions actions;
  if (std::holds_alternative<wire::Drain>(message)) {
    actions.finished = true;
    return actions;
  }
  const bool none = std::holds_alternative<wire::Undelivered>(message) ||
                    std::holds_alternative<wire::Undecodable>(message);
  const std::optional<machine::Peer> to = none ? std::nullopt : other_end(from);
  if (!to) {
    counters_.dropped += 1;
    return actions;
  }
  const LinkFaults link_faults = link_faults_();
  if ((link_faults.loss > 0 && rng_.uniform() < link_faults.loss) ||
      waiting_.size() >= kWaitingMax) {
    counters_.lost += 1;
    return actions;
  }
  if (link_faults.garbage) garble(message);
  wire::Instant& due = last_due_[*to];
  due = std::max(
      due, now + wire::from_seconds(wire::to_seconds(link_faults.delay_max) * rng_.uniform()));
  waiting_.emplace(due, machine::Outgoing{*to, std::move(message)});
  actions.append(on_timeout(now));
  return actions;
}

machine::Actions Forwarder::on_timeout(wire::Instant now) {
  machine::Actions actions;
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    actions.messages.push_back(std::move(waiting_.begin()->second));
    waiting_.erase(waiting_.begin());
    counters_.passed += 1;
  }
  return actions;
}

machine::Actions Forwarder::on_done(wire::WorkId, machine::Outcome, wire::Instant) {
  COLLAGE_CHECK(false && "the forwarder asks for no work");
  return {};
}

std::optional<wire::Instant> Forwarder::next_timeout() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

}  // namespace replay::live
