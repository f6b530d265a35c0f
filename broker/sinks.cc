#include "broker/sinks.h"

#include <tuple>
#include <utility>

#include "wire/check.h"

namespace broker {

bool Sinks::join(wire::SinkIndex index, wire::WorkerId id, machine::Peer peer, wire::Instant now) {
  COLLAGE_CHECK(index < policy_.sink_max);
  Seat& seat = seats_[index];
  const bool same = seat.sink && seat.sink->id == id && seat.sink->peer == peer;
  // A process has one index; its configuration may have changed without its connection's end.
  if (const auto former = index_of(peer); former && *former != index) forget(*former);
  seat.sink = Sink{id, peer, now};
  return !same;
}

std::optional<wire::SinkIndex> Sinks::index_of(machine::Peer peer) const {
  for (wire::SinkIndex index = 0; index < policy_.sink_max; ++index) {
    if (seats_[index].sink && seats_[index].sink->peer == peer) return index;
  }
  return std::nullopt;
}

std::optional<wire::SinkIndex> Sinks::heard(machine::Peer peer, wire::Instant now) {
  const auto index = index_of(peer);
  if (index) seats_[*index].sink->heard = now;
  return index;
}

Sinks::Lost Sinks::forget(wire::SinkIndex index) {
  seats_[index].times = {};
  return {index, std::exchange(seats_[index].sink, std::nullopt)->id};
}

std::optional<Sinks::Lost> Sinks::leave(machine::Peer peer) {
  const auto index = index_of(peer);
  if (!index) return std::nullopt;
  return forget(*index);
}

std::optional<Sinks::Lost> Sinks::leave_silent(wire::Instant now) {
  bool any_listens = false;
  std::optional<wire::SinkIndex> silent;
  for (wire::SinkIndex index = 0; index < policy_.sink_max; ++index) {
    if (!joined(index)) continue;
    any_listens = any_listens || listens(index, now);
    if (now - seats_[index].sink->heard > policy_.silence_max) silent = index;
  }
  if (!any_listens || !silent) return std::nullopt;
  return forget(*silent);
}

std::size_t Sinks::size() const {
  std::size_t count = 0;
  for (const Seat& seat : seats_) count += seat.sink ? 1 : 0;
  return count;
}

// A quarter of a heartbeat more, for the delay of a message.
bool Sinks::listens(wire::SinkIndex index, wire::Instant now) const {
  return joined(index) && now - seats_[index].sink->heard <= policy_.heartbeat * 5 / 4;
}

wire::SinkIndex Sinks::choose(wire::Instant now) {
  const auto rank = [&](wire::SinkIndex index) {
    return std::tuple(!joined(index), !listens(index, now), seats_[index].open);
  };
  wire::SinkIndex best = chosen_;
  for (wire::SinkIndex index = 0; index < policy_.sink_max; ++index) {
    if (joined(index) && (!joined(best) || rank(index) < rank(best))) best = index;
  }
  return chosen_ = best;
}

// --- batches ---

void Sinks::open(Batch& batch, wire::Instant now, machine::Actions& actions) {
  batch.sink = choose(now);
  seats_[batch.sink].open += 1;
  send_opened(batch, now, actions);
}

void Sinks::move(Batch& batch, wire::SinkIndex to, wire::Instant now, machine::Actions& actions) {
  seats_[batch.sink].open -= 1;
  batch.sink = to;
  seats_[to].open += 1;
  send_opened(batch, now, actions);
  if (batch.sealed) send_sealed(batch, now, actions);
}

void Sinks::settle(const Batch& batch, machine::Actions& actions) {
  seats_[batch.sink].open -= 1;
  send(batch.sink, wire::BatchSettled{batch.id}, actions);
}

// --- messages ---

void Sinks::send(wire::SinkIndex index, wire::Message message, machine::Actions& actions) const {
  if (joined(index)) actions.send(seats_[index].sink->peer, std::move(message));
}

void Sinks::send_opened(const Batch& batch, wire::Instant now, machine::Actions& actions) const {
  send(batch.sink,
       wire::BatchOpened{batch.id, policy_.slots, now - batch.opened, !batch.covers.empty()},
       actions);
}

void Sinks::send_sealed(const Batch& batch, wire::Instant now, machine::Actions& actions) const {
  wire::BatchSealed sealed{batch.id, {}, batch.collage_only};
  for (const wire::Instant admitted : batch.admitted) sealed.ages.push_back(now - admitted);
  send(batch.sink, std::move(sealed), actions);
}

void Sinks::send_health(const std::vector<wire::WorkerStates>& workers, const wire::Status& status,
                        machine::Actions& actions) const {
  for (wire::SinkIndex index = 0; index < policy_.sink_max; ++index) {
    for (const wire::WorkerStates& part : workers) send(index, part, actions);
    send(index, status, actions);
  }
}

// --- what sinks learn ---

wire::ServiceTimes Sinks::service() const {
  const auto mean = [this](wire::Duration wire::ServiceTimes::*value) {
    wire::Duration sum{};
    std::int64_t count = 0;
    for (const Seat& seat : seats_) {
      sum += seat.times.*value;
      count += seat.times.*value > wire::Duration::zero() ? 1 : 0;
    }
    return count == 0 ? wire::Duration::zero() : sum / count;
  };
  using T = wire::ServiceTimes;
  return {mean(&T::patience), mean(&T::p95), mean(&T::p99), mean(&T::budget)};
}

}  // namespace broker
