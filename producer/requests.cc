#include "producer/requests.h"

#include <algorithm>

#include "wire/check.h"

namespace producer {

using wire::Instant;
using wire::RequestId;
using State = Request::State;

void Requests::add(RequestId id, Request request) {
  COLLAGE_CHECK(open_.empty() || open_.rbegin()->first < id);
  expiries_.emplace(request.expires, id);
  queued_.insert(id);
  bytes_ += request.image.size();
  request.state = State::queued;
  open_.emplace(id, std::move(request));
}

const Request* Requests::find(RequestId id) const {
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : &found->second;
}

std::optional<RequestId> Requests::next() const {
  if (queued_.empty()) return std::nullopt;
  return *queued_.begin();
}

Request& Requests::leave_state(RequestId id) {
  const auto found = open_.find(id);
  COLLAGE_CHECK(found != open_.end());
  Request& request = found->second;
  queued_.erase(id);
  if (request.state == State::in_flight) in_flight_[request.broker].erase(id);
  if (request.wake) wakes_.erase({*request.wake, id});
  request.wake.reset();
  return request;
}

void Requests::sent(RequestId id, Instant now, Instant expires, std::optional<Instant> wake,
                    std::uint32_t broker) {
  Request& request = leave_state(id);
  request.state = State::in_flight;
  request.sent = now;
  ++request.sends;
  request.refusal = wire::Reason::none;
  request.broker = broker;
  in_flight_[broker].insert(id);
  expiries_.erase({request.expires, id});
  request.expires = expires;
  expiries_.emplace(expires, id);
  request.wake = wake;
  if (wake) wakes_.emplace(*wake, id);
}

void Requests::queue(RequestId id) {
  leave_state(id).state = State::queued;
  queued_.insert(id);
}

void Requests::refused(RequestId id, wire::Reason reason, Instant wake) {
  Request& request = leave_state(id);
  request.state = State::asleep;
  request.refusal = reason;
  request.wake = wake;
  wakes_.emplace(wake, id);
}

void Requests::spend(RequestId id) { leave_state(id).state = State::spent; }

Request Requests::remove(RequestId id) {
  Request request = std::move(leave_state(id));
  expiries_.erase({request.expires, id});
  bytes_ -= request.image.size();
  open_.erase(id);
  return request;
}

void Requests::known(RequestId id, std::optional<Instant> wake) {
  Request& request = leave_state(id);
  in_flight_[request.broker].insert(id);
  ++request.words;
  request.wake = wake;
  if (wake) wakes_.emplace(*wake, id);
}

void Requests::set_wake(RequestId id, std::optional<Instant> wake) {
  Request& request = open_.at(id);
  if (request.wake) wakes_.erase({*request.wake, id});
  request.wake = wake;
  if (wake) wakes_.emplace(*wake, id);
}

const std::set<RequestId>& Requests::at(std::uint32_t broker) const {
  static const std::set<RequestId> kNone;
  const auto found = in_flight_.find(broker);
  return found == in_flight_.end() ? kNone : found->second;
}

void Requests::queue_in_flight(std::uint32_t broker) {
  const std::set<RequestId> all = at(broker);  // A copy, because queue() removes from in_flight_.
  for (const RequestId id : all) queue(id);
}

void Requests::queue_sent_since(Instant since, std::uint32_t broker) {
  const std::set<RequestId> all = at(broker);
  for (const RequestId id : all) {
    if (open_.at(id).sent >= since) queue(id);
  }
}

std::optional<RequestId> Requests::due(Instant now) const {
  if (wakes_.empty() || wakes_.begin()->first > now) return std::nullopt;
  return wakes_.begin()->second;
}

void Requests::wake(Instant now) {
  while (const auto id = due(now)) queue(*id);
}

std::optional<RequestId> Requests::expired(Instant now) const {
  if (expiries_.empty() || expiries_.begin()->first > now) return std::nullopt;
  return expiries_.begin()->second;
}

std::optional<Instant> Requests::next_timeout() const {
  if (expiries_.empty()) return std::nullopt;
  const Instant expiry = expiries_.begin()->first;
  return wakes_.empty() ? expiry : std::min(expiry, wakes_.begin()->first);
}

}  // namespace producer
