#include "broker/roster.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace broker {

bool Roster::has_credit(const Worker& worker) {
  return !worker.leaving && worker.outstanding() < worker.capacity;
}

Roster::Rank Roster::rank(const Worker& worker) {
  return {worker.suspect, worker.outstanding(), worker.used, worker.id};
}

template <class Change>
void Roster::change(Worker& worker, Change apply) {
  if (has_credit(worker)) available_.erase(rank(worker));
  apply(worker);
  if (has_credit(worker)) available_.insert(rank(worker));
}

Roster::Joined Roster::join(const wire::WorkerHello& hello, wire::Peer peer, wire::Instant now) {
  Joined joined;
  if (const auto known = workers_.find(hello.worker); known != workers_.end()) {
    if (known->second.peer == peer) {  // It missed our welcome.
      joined.renewed = true;
      change(known->second, [now](Worker& worker) { worker.heard = now; });
      return joined;
    }
    joined.renewed = true;
    joined.losses.push_back(remove(hello.worker));
  } else if (workers_.size() >= policy_.worker_max) {
    joined.full = true;
    return joined;
  }
  if (const auto old = peers_.find(peer); old != peers_.end()) {
    joined.losses.push_back(remove(old->second));
  }
  Worker worker;
  worker.id = hello.worker;
  worker.peer = peer;
  worker.capacity = hello.capacity;
  worker.used = ++uses_;
  worker.heard = now;
  peers_[peer] = hello.worker;
  const auto [place, added] = workers_.emplace(hello.worker, std::move(worker));
  COLLAGE_CHECK(added);
  if (has_credit(place->second)) available_.insert(rank(place->second));
  return joined;
}

bool Roster::ready(wire::Peer peer, const wire::Ready& ready, wire::Instant now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  change(workers_.at(found->second), [&](Worker& worker) {
    worker.heard = now;
    worker.leaving = ready.leaving;
    const auto holds = [&ready](std::uint64_t sequence) {
      return std::find(ready.held.begin(), ready.held.end(), wire::Sequence{sequence}) !=
             ready.held.end();
    };
    std::erase_if(worker.sent, [&](const Worker::Sent& sent) {
      return sent.sequence <= ready.seen.value && !holds(sent.sequence);
    });
    // What is held but was not given by us in this life counts against credit all the same.
    const auto ours = static_cast<std::size_t>(
        std::count_if(worker.sent.begin(), worker.sent.end(),
                      [&](const Worker::Sent& sent) { return holds(sent.sequence); }));
    worker.held = ready.held.size() - std::min(ready.held.size(), ours);
    if (worker.sent.empty()) worker.suspect = false;
  });
  return true;
}

const Roster::Worker* Roster::pick(std::span<const wire::WorkerId> tried) const {
  for (const Rank& rank : available_) {
    const wire::WorkerId id = std::get<3>(rank);
    if (std::find(tried.begin(), tried.end(), id) == tried.end()) return &workers_.at(id);
  }
  return nullptr;
}

void Roster::assign(wire::WorkerId id, wire::Sequence sequence, Task task, wire::Instant now) {
  Worker& worker = workers_.at(id);
  COLLAGE_CHECK(has_credit(worker));
  change(worker, [&](Worker& w) {
    w.sent.push_back({sequence.value, task, now});
    w.used = ++uses_;
  });
}

Roster::Loss Roster::remove(wire::WorkerId id) {
  const auto found = workers_.find(id);
  Worker& worker = found->second;
  if (has_credit(worker)) available_.erase(rank(worker));
  Loss loss{id, {}};
  for (const Worker::Sent& sent : worker.sent) loss.tasks.push_back(sent.task);
  peers_.erase(worker.peer);
  workers_.erase(found);
  return loss;
}

std::optional<Roster::Loss> Roster::lost(wire::Peer peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return std::nullopt;
  return remove(found->second);
}

std::vector<Roster::Loss> Roster::sweep(wire::Instant now, wire::Duration suspect_age) {
  std::vector<wire::WorkerId> gone;
  for (auto& [id, worker] : workers_) {
    const bool busy = !worker.sent.empty();
    const wire::Duration age = busy ? now - worker.sent.front().at : wire::Duration::zero();
    if (busy ? age > policy_.task_age_max : now - worker.heard > policy_.silence_max) {
      gone.push_back(id);
    } else if (worker.suspect != (busy && age > suspect_age)) {
      change(worker, [](Worker& w) { w.suspect = !w.suspect; });
    }
  }
  std::vector<Loss> losses;
  for (const wire::WorkerId id : gone) losses.push_back(remove(id));
  return losses;
}

std::optional<wire::Peer> Roster::peer_of(wire::WorkerId id) const {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return std::nullopt;
  return found->second.peer;
}

std::vector<wire::Peer> Roster::busy() const {
  std::vector<wire::Peer> peers;
  for (const auto& [id, worker] : workers_) {
    if (!worker.sent.empty()) peers.push_back(worker.peer);
  }
  return peers;
}

std::size_t Roster::suspects() const {
  return static_cast<std::size_t>(std::count_if(
      workers_.begin(), workers_.end(), [](const auto& entry) { return entry.second.suspect; }));
}

std::size_t Roster::outstanding() const {
  std::size_t sum = 0;
  for (const auto& [id, worker] : workers_) sum += worker.outstanding();
  return sum;
}

}  // namespace broker
