#include "broker/sessions.h"

#include "wire/check.h"

namespace broker {

bool Sessions::join(wire::ProducerId producer, machine::Peer peer, wire::Instant now,
                    bool corrections) {
  if (!sessions_.contains(producer) && sessions_.size() >= policy_.producer_max) return false;
  // A connection speaks for one producer, and a producer from one connection.
  if (const auto before = peers_.find(peer); before != peers_.end() && before->second != producer) {
    sessions_.at(before->second).peer.reset();
  }
  Session& session = sessions_[producer];
  if (session.peer && *session.peer != peer) peers_.erase(*session.peer);
  session.peer = peer;
  session.heard = now;
  session.corrections = corrections;
  peers_[peer] = producer;
  return true;
}

bool Sessions::wants_corrections(wire::ProducerId producer) const {
  const auto found = sessions_.find(producer);
  return found != sessions_.end() && found->second.corrections;
}

std::optional<machine::Peer> Sessions::peer_of(wire::ProducerId producer) const {
  const auto found = sessions_.find(producer);
  return found == sessions_.end() ? std::nullopt : found->second.peer;
}

bool Sessions::moved(wire::ProducerId producer, machine::Peer peer) const {
  const auto found = sessions_.find(producer);
  return found != sessions_.end() && found->second.peer != peer;
}

std::optional<wire::ProducerId> Sessions::at(machine::Peer peer, wire::Instant now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return std::nullopt;
  sessions_.at(found->second).heard = now;
  return found->second;
}

wire::Reason Sessions::admit(wire::ProducerId producer, wire::RequestId request) const {
  const Session& session = sessions_.at(producer);
  if (session.open.contains(request)) return wire::Reason::duplicate_request;
  if (session.open.size() >= policy_.credit) return wire::Reason::no_credit;
  return wire::Reason::none;
}

void Sessions::open(wire::ProducerId producer, wire::RequestId request, Task task) {
  const bool added = sessions_.at(producer).open.emplace(request, task).second;
  COLLAGE_CHECK(added);
}

void Sessions::place(wire::ProducerId producer, wire::RequestId request, Task task) {
  sessions_.at(producer).open.at(request) = task;
}

std::optional<Task> Sessions::find(wire::ProducerId producer, wire::RequestId request) const {
  const Session& session = sessions_.at(producer);
  const auto found = session.open.find(request);
  if (found == session.open.end()) return std::nullopt;
  return found->second;
}

std::optional<machine::Peer> Sessions::close(wire::ProducerId producer, wire::RequestId request) {
  Session& session = sessions_.at(producer);
  const std::size_t closed = session.open.erase(request);
  COLLAGE_CHECK(closed == 1);
  return session.peer;
}

bool Sessions::lost(machine::Peer peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  sessions_.at(found->second).peer.reset();
  peers_.erase(found);
  return true;
}

void Sessions::sweep(wire::Instant now) {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const Session& session = it->second;
    if (session.open.empty() && now - session.heard > policy_.silence_max) {
      if (session.peer) peers_.erase(*session.peer);
      it = sessions_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace broker
