#include "broker/sessions.h"

#include "wire/check.h"

namespace broker {

bool Sessions::join(wire::ProducerId producer, machine::Peer peer, wire::Instant now, Terms terms) {
  if (!sessions_.contains(producer) && sessions_.size() >= policy_.producer_max) return false;
  // A connection speaks for one producer, and a producer from one connection.
  if (const auto before = peers_.find(peer); before != peers_.end() && before->second != producer) {
    sessions_.at(before->second).peer.reset();
  }
  Session& session = sessions_[producer];
  if (session.peer && *session.peer != peer) peers_.erase(*session.peer);
  session.peer = peer;
  session.heard = now;
  session.terms = terms;
  peers_[peer] = producer;
  return true;
}

Terms Sessions::terms(wire::ProducerId producer) const {
  const auto found = sessions_.find(producer);
  return found == sessions_.end() ? Terms{} : found->second.terms;
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

void Sessions::open(wire::ProducerId producer, wire::RequestId request, Task task,
                    std::uint64_t latest) {
  Session& session = sessions_.at(producer);
  const bool added = session.open.try_emplace(request, Open{task, latest}).second;
  COLLAGE_CHECK(added);
  if (latest != 0) session.frames.emplace(latest, request);
}

void Sessions::place(wire::ProducerId producer, wire::RequestId request, Task task) {
  sessions_.at(producer).open.at(request).task = task;
}

std::optional<Task> Sessions::find(wire::ProducerId producer, wire::RequestId request) const {
  const Session& session = sessions_.at(producer);
  const auto found = session.open.find(request);
  if (found == session.open.end()) return std::nullopt;
  return found->second.task;
}

std::vector<Task> Sessions::older_frames(wire::ProducerId producer, std::uint64_t latest,
                                         wire::RequestId request) const {
  const Session& session = sessions_.at(producer);
  std::vector<Task> older;
  const auto newer = session.frames.lower_bound({latest, request});
  for (auto frame = session.frames.lower_bound({latest, {}}); frame != newer; ++frame) {
    older.push_back(session.open.at(frame->second).task);
  }
  return older;
}

std::optional<machine::Peer> Sessions::close(wire::ProducerId producer, wire::RequestId request) {
  Session& session = sessions_.at(producer);
  const auto closed = session.open.extract(request);
  COLLAGE_CHECK(!closed.empty());
  session.frames.erase({closed.mapped().latest, request});
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
