#include "broker/roster.h"

#include <algorithm>
#include <utility>

#include "machine/slowness.h"
#include "wire/check.h"

namespace broker {
namespace {

// The longest wait between probes, in shortest ones.  Waits double, so five slow probes reach it.
// A probe costs a copy of a task; once in 32 heartbeats (16 s at 500 ms each) that is
// little, and a worker that has recovered is still found before an operator would look for it.
constexpr int kProbeWaits = 32;

}  // namespace

bool Roster::has_credit(const Worker& worker) {
  return !worker.leaving && worker.outstanding() < worker.capacity;
}

Roster::Rank Roster::rank(const Worker& worker) {
  return {worker.overdue, worker.outstanding(), worker.used, worker.id};
}

template <class Change>
void Roster::change(Worker& worker, Change apply) {
  take_out(worker);
  apply(worker);
  put_in(worker);
}

void Roster::put_in(const Worker& worker) {
  if (available(worker)) available_.insert(rank(worker));
  working_ += working(worker) ? 1 : 0;
}

void Roster::take_out(const Worker& worker) {
  if (available(worker)) available_.erase(rank(worker));
  working_ -= working(worker) ? 1 : 0;
}

Roster::Joined Roster::join(const wire::WorkerHello& hello, machine::Peer peer, wire::Instant now) {
  Joined joined;
  if (const auto known = workers_.find(hello.worker); known != workers_.end()) {
    if (known->second.peer == peer) {  // Our welcome has not reached it.
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
  put_in(place->second);
  return joined;
}

bool Roster::ready(machine::Peer peer, const wire::Ready& ready, wire::Instant now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  change(workers_.at(found->second), [&](Worker& worker) {
    worker.heard = now;
    worker.leaving = ready.leaving;
    const auto holds = [&ready](std::uint64_t sequence) {
      return std::find(ready.held.begin(), ready.held.end(), wire::Sequence{sequence}) !=
             ready.held.end();
    };
    const auto gone = std::stable_partition(
        worker.sent.begin(), worker.sent.end(), [&](const Worker::Sent& sent) {
          return sent.sequence > ready.seen.value || holds(sent.sequence);
        });
    // A task that was withdrawn, or never begun, and leaves before an earlier one has not been
    // worked on: the worker is still at the earlier one, whose time goes on.
    const auto worked =
        std::stable_partition(gone, worker.sent.end(), [&](const Worker::Sent& sent) {
          return !sent.begun && gone != worker.sent.begin() &&
                 worker.sent.front().sequence < sent.sequence;
        });
    // A worker does one task after another, or some together: while it did those before, these
    // waited, and the time since is theirs in equal shares.
    const auto count = static_cast<std::int64_t>(worker.sent.end() - worked);
    const auto share = [&](wire::Instant from) {
      return (now - std::max(from, worker.done)) / count;
    };
    for (auto sent = worked; sent != worker.sent.end(); ++sent) {
      worker.health.add(share(worked->at));
      if (sent->begun) service_.add(share(*sent->begun));
    }
    if (count > 0) worker.done = now;
    worker.sent.erase(gone, worker.sent.end());
    // Tasks that it holds but was not given in this life of the broker take up room all the same.
    const auto ours = static_cast<std::size_t>(
        std::count_if(worker.sent.begin(), worker.sent.end(),
                      [&](const Worker::Sent& sent) { return holds(sent.sequence); }));
    worker.held = ready.held.size() - std::min(ready.held.size(), ours);
    if (worker.sent.empty()) worker.overdue = false;
  });
  lift_probation_if_none_works();
  return true;
}

const Roster::Worker* Roster::pick(std::span<const wire::WorkerId> tried) const {
  for (const Rank& rank : available_) {
    const wire::WorkerId id = std::get<3>(rank);
    if (std::find(tried.begin(), tried.end(), id) == tried.end()) return &workers_.at(id);
  }
  return nullptr;
}

const Roster::Worker* Roster::pick_of(std::span<const wire::WorkerId> among,
                                      std::span<const wire::WorkerId> tried) const {
  const Worker* best = nullptr;
  for (const wire::WorkerId id : among) {
    const Worker& worker = workers_.at(id);
    if (!available(worker) || std::find(tried.begin(), tried.end(), id) != tried.end()) continue;
    if (!best || rank(worker) < rank(*best)) best = &worker;
  }
  return best;
}

void Roster::draw(std::size_t count, std::vector<wire::WorkerId>& drawn) {
  while (drawn.size() < std::min(count, workers_.size())) {
    auto next = workers_.upper_bound(turn_);
    if (next == workers_.end()) next = workers_.begin();
    turn_ = next->first;
    if (std::find(drawn.begin(), drawn.end(), turn_) == drawn.end()) drawn.push_back(turn_);
  }
}

const Roster::Worker* Roster::due_for_probe(std::span<const wire::WorkerId> tried,
                                            wire::Instant now) const {
  for (const wire::WorkerId id : probation_) {
    const Worker& worker = workers_.at(id);
    const bool due = has_credit(worker) && worker.outstanding() == 0 && now >= worker.probe_at;
    if (due && std::find(tried.begin(), tried.end(), id) == tried.end()) return &worker;
  }
  return nullptr;
}

void Roster::assign(wire::WorkerId id, wire::Sequence sequence, Task task, wire::Instant now) {
  Worker& worker = workers_.at(id);
  COLLAGE_CHECK(has_credit(worker));
  change(worker, [&](Worker& w) {
    w.sent.push_back({sequence.value, task, now, std::nullopt});
    w.used = ++uses_;
    if (!w.slow) return;
    w.probe_at = now + w.probe_wait;
    w.probe_wait = std::min(2 * w.probe_wait, kProbeWaits * policy_.probe_every);
  });
}

void Roster::begin(wire::WorkerId id, wire::Sequence sequence, wire::Instant now) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return;
  for (Worker::Sent& sent : worker->second.sent) {
    if (sent.sequence == sequence.value) sent.begun = now;
  }
}

void Roster::withdraw(wire::WorkerId id, wire::Sequence sequence) {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || worker->second.sent.empty()) return;
  std::vector<Worker::Sent>& tasks = worker->second.sent;
  for (auto sent = std::next(tasks.begin()); sent != tasks.end(); ++sent) {
    if (sent->sequence == sequence.value) sent->begun.reset();
  }
}

// A worker works on its tasks in order, so all but the first wait.
std::optional<Roster::Queued> Roster::queued(wire::WorkerId id, Task task) const {
  const auto worker = workers_.find(id);
  if (worker == workers_.end() || worker->second.sent.empty()) return std::nullopt;
  const std::vector<Worker::Sent>& tasks = worker->second.sent;
  const auto found = std::find_if(std::next(tasks.begin()), tasks.end(),
                                  [task](const Worker::Sent& sent) { return sent.task == task; });
  if (found == tasks.end()) return std::nullopt;
  return Queued{worker->second.peer, {found->sequence}};
}

bool Roster::has(wire::WorkerId id, Task task) const {
  const auto worker = workers_.find(id);
  if (worker == workers_.end()) return false;
  const std::vector<Worker::Sent>& tasks = worker->second.sent;
  return std::any_of(tasks.begin(), tasks.end(),
                     [task](const Worker::Sent& sent) { return sent.task == task; });
}

Roster::Loss Roster::remove(wire::WorkerId id) {
  const auto found = workers_.find(id);
  Worker& worker = found->second;
  take_out(worker);
  probation_.erase(id);
  Loss loss;
  loss.worker = id;
  loss.leaving = worker.leaving;
  for (const Worker::Sent& sent : worker.sent) loss.tasks.push_back(sent.task);
  peers_.erase(worker.peer);
  workers_.erase(found);
  lift_probation_if_none_works();
  return loss;
}

// A slow worker is better than none, and one that leaves is given nothing.
void Roster::lift_probation_if_none_works() {
  if (working_ > 0) return;
  while (!probation_.empty()) set_slow(workers_.at(*probation_.begin()), false, {});
}

void Roster::set_slow(Worker& worker, bool slow, wire::Instant now) {
  if (worker.slow == slow) return;
  change(worker, [&](Worker& w) {
    w.slow = slow;
    w.probe_wait = policy_.probe_every;
    w.probe_at = now + w.probe_wait;
  });
  slow ? static_cast<void>(probation_.insert(worker.id))
       : static_cast<void>(probation_.erase(worker.id));
}

void Roster::judge(wire::Instant now) {
  std::vector<wire::Duration> medians;
  for (const auto& [id, worker] : workers_) {
    if (const auto median = worker.health.median()) medians.push_back(*median);
  }
  // A single worker has no other to be compared with.
  usual_.reset();
  if (medians.size() >= 2) usual_ = machine::usual_service(std::move(medians));
  for (auto& [id, worker] : workers_) {
    const bool slow = usual_ && worker.health.slow(*usual_, worker.slow);
    set_slow(worker, slow, now);
    if (slow && worker.health.quick_once(*usual_)) worker.probe_wait = policy_.probe_every;
  }
  lift_probation_if_none_works();
}

std::optional<Roster::Loss> Roster::lost(machine::Peer peer) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return std::nullopt;
  return remove(found->second);
}

std::vector<Roster::Loss> Roster::sweep(wire::Instant now, wire::Duration suspect_age) {
  std::vector<std::pair<wire::WorkerId, wire::LossCause>> gone;
  for (auto& [id, worker] : workers_) {
    const bool busy = !worker.sent.empty();
    const wire::Duration age = busy ? now - worker.sent.front().at : wire::Duration::zero();
    if (busy ? age > policy_.task_age_max : now - worker.heard > policy_.silence_max) {
      gone.emplace_back(id, busy ? wire::LossCause::task_age : wire::LossCause::silence);
    } else if (worker.overdue != (busy && age > suspect_age)) {
      change(worker, [](Worker& w) { w.overdue = !w.overdue; });
    }
  }
  std::vector<Loss> losses;
  for (const auto& [id, cause] : gone) {
    losses.push_back(remove(id));
    losses.back().cause = cause;
  }
  judge(now);
  return losses;
}

std::optional<machine::Peer> Roster::peer_of(wire::WorkerId id) const {
  const auto found = workers_.find(id);
  if (found == workers_.end()) return std::nullopt;
  return found->second.peer;
}

std::vector<machine::Peer> Roster::peers() const {
  std::vector<machine::Peer> peers;
  for (const auto& [id, worker] : workers_) peers.push_back(worker.peer);
  return peers;
}

std::vector<machine::Peer> Roster::busy() const {
  std::vector<machine::Peer> peers;
  for (const auto& [id, worker] : workers_) {
    if (!worker.sent.empty()) peers.push_back(worker.peer);
  }
  return peers;
}

std::size_t Roster::suspects() const {
  return static_cast<std::size_t>(std::count_if(
      workers_.begin(), workers_.end(), [](const auto& entry) { return entry.second.overdue; }));
}

Roster::Standing Roster::standing() const {
  Standing standing;
  for (const auto& [id, worker] : workers_) {
    standing.workers[static_cast<std::size_t>(worker.state())] += 1;
    if (available(worker)) standing.credit += worker.capacity - worker.outstanding();
  }
  return standing;
}

std::string_view to_string(Roster::State state) {
  switch (state) {
    case Roster::State::well:
      return "well";
    case Roster::State::suspect:
      return "suspect";
    case Roster::State::probation:
      return "probation";
    case Roster::State::leaving:
      return "leaving";
  }
  return "unknown";
}

std::optional<double> Roster::per_second() const {
  if (!service_.known()) return std::nullopt;
  return static_cast<double>(working_) / wire::to_seconds(service_.mean());
}

std::size_t Roster::outstanding(wire::WorkerId id) const {
  const auto worker = workers_.find(id);
  return worker == workers_.end() ? 0 : worker->second.outstanding();
}

std::size_t Roster::outstanding() const {
  std::size_t sum = 0;
  for (const auto& [id, worker] : workers_) sum += worker.outstanding();
  return sum;
}

}  // namespace broker
