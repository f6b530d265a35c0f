#include "replay/sim/world.h"

#include <algorithm>
#include <utility>

#include "wire/check.h"

namespace replay::sim {
namespace {

// A machine may need several timeouts at one instant, but one that needs so many asks for a timeout
// that it does not consume: virtual time would stand still for ever.
constexpr int kTimeoutsMax = 1000;
constexpr std::size_t kBugsMax = 16;

bool is_local(const wire::Message& message) { return message.index() >= wire::kWireMessages; }

}  // namespace

World::World(Network::Policy policy, machine::Rng rng)
    : network_(policy, rng,
               [this](wire::Instant at, Packet packet) { transmit(at, std::move(packet)); }) {}

NodeId World::add(std::string name, Executor* executor) {
  nodes_.emplace_back();
  nodes_.back().name = std::move(name);
  nodes_.back().executor = executor;
  return static_cast<NodeId>(nodes_.size() - 1);
}

ChannelId World::connect(NodeId dealer, std::uint32_t dealer_link, NodeId router,
                         std::uint32_t router_link, LinkPolicy policy) {
  return network_.connect(dealer, dealer_link, router, router_link, policy);
}

// --- lives ---

void World::start(NodeId id, std::unique_ptr<machine::Machine> machine) {
  Node& node = nodes_[id];
  COLLAGE_CHECK(!node.machine);
  node.machine = std::move(machine);
  node.life += 1;
  node.stalled_until = now_;
  node.wake.reset();
  // The observer first: opening connections may transmit messages that it has to see after it.
  if (observer_) observer_->on_life(id, true, now_);
  network_.start(id, now_);
  arm(id);
}

void World::crash(NodeId id) {
  Node& node = nodes_[id];
  if (!node.machine) return;
  node.machine.reset();
  node.asked.reset();
  node.work_id.reset();
  for (const std::uint32_t packet : node.inbox) take_packet(packet);
  node.inbox.clear();
  network_.stop(id, now_);
  if (observer_) observer_->on_life(id, false, now_);
}

void World::stall(NodeId id, wire::Duration duration) {
  Node& node = nodes_[id];
  if (!node.machine) return;
  node.stalled_until = std::max(node.stalled_until, now_ + duration);
  node.wake = node.stalled_until;
  queue_.add(*node.wake, {Kind::wake, id, node.life});
}

// --- messages ---

std::uint32_t World::store(Packet packet) {
  if (free_packets_.empty()) {
    packets_.push_back(std::move(packet));
    return static_cast<std::uint32_t>(packets_.size() - 1);
  }
  const std::uint32_t index = free_packets_.back();
  free_packets_.pop_back();
  packets_[index] = std::move(packet);
  return index;
}

Packet World::take_packet(std::uint32_t index) {
  free_packets_.push_back(index);
  return std::move(packets_[index]);
}

void World::transmit(wire::Instant at, Packet packet) {
  const std::uint32_t life = nodes_[packet.to].life;
  queue_.add(at, {Kind::deliver, store(std::move(packet)), life});
}

void World::perform(NodeId id, machine::Actions actions) {
  if (observer_) observer_->on_traced(id, actions.traces, now_);
  for (machine::Outgoing& outgoing : actions.messages) {
    COLLAGE_CHECK(!is_local(outgoing.message));
    if (observer_) {
      observer_->on_sent(id, network_.receiver(id, outgoing.to), outgoing.message, now_);
    }
    network_.send(id, outgoing.to, std::move(outgoing.message), now_);
  }
  if (!actions.work) return;
  Node& node = nodes_[id];
  COLLAGE_CHECK(node.executor && !node.work_id && !node.asked);
  node.asked = std::move(actions.work);
}

// --- turns ---

void World::deliver(Packet packet) {
  Node& node = nodes_[packet.to];
  if (observer_) observer_->on_delivered(packet.from, packet.to, packet.message, now_);
  // As the loop does on a link with keys: here a producer's key has the name of its node.
  if (std::holds_alternative<wire::ProducerHello>(packet.message)) {
    wire::Authenticated authenticated{nodes_[packet.from].name};
    perform(packet.to, node.machine->on_message(packet.peer, std::move(authenticated), now_));
  }
  perform(packet.to, node.machine->on_message(packet.peer, std::move(packet.message), now_));
}

void World::arrive(std::uint32_t index, std::uint32_t life) {
  const Packet& packet = packets_[index];
  Node& node = nodes_[packet.to];
  // A packet belongs to a connection, or, if it reports that there is none, to a life.
  const bool lost =
      packet.connection != 0 ? network_.lost(packet) : node.life != life || !node.machine;
  if (lost) {
    take_packet(index);
  } else if (blocked(node) || !node.inbox.empty()) {
    node.inbox.push_back(index);
  } else {
    const NodeId to = packet.to;
    run_timers(to);
    deliver(take_packet(index));
    end_turn(to);
  }
}

void World::run_timers(NodeId id) {
  Node& node = nodes_[id];
  const std::optional<wire::Instant> due = node.machine->next_timeout();
  if (!due || *due > now_) return;
  if (node.timeouts_at != now_) {
    node.timeouts_at = now_;
    node.timeouts = 0;
  }
  if (++node.timeouts == kTimeoutsMax && restless_.size() < kBugsMax) {
    restless_.push_back(node.name);
  }
  if (node.timeouts >= kTimeoutsMax) return;
  perform(id, node.machine->on_timeout(now_));
}

// Takes up what waited while the machine was blocked.  Messages that have arrived are read even if
// their connection has ended since, as from the queue of a socket.
void World::resume(NodeId id) {
  Node& node = nodes_[id];
  run_timers(id);
  while (!node.inbox.empty()) {
    const std::uint32_t index = node.inbox.front();
    node.inbox.pop_front();
    deliver(take_packet(index));
  }
  end_turn(id);
}

// Begins the work that the turn has asked for.  The order of an event's consequences is that of the
// loop: messages sent, then work, which blocks.
void World::end_turn(NodeId id) {
  Node& node = nodes_[id];
  if (node.asked) {
    machine::Work work = *std::exchange(node.asked, std::nullopt);
    if (observer_) observer_->on_work(id, work, now_);
    node.work_id = work.id;
    Executor::Done result = node.executor->run(std::move(work));
    node.outcome = std::move(result.outcome);
    queue_.add(now_ + result.takes, {Kind::done, id, node.life});
  }
  arm(id);
}

void World::wake(NodeId id, std::uint32_t life) {
  Node& node = nodes_[id];
  if (!node.machine || node.life != life) return;
  if (node.wake && *node.wake <= now_) node.wake.reset();
  if (!blocked(node)) resume(id);
}

void World::done(NodeId id, std::uint32_t life) {
  Node& node = nodes_[id];
  if (!node.machine || node.life != life || !node.work_id) return;
  if (node.stalled_until > now_) return queue_.add(node.stalled_until, {Kind::done, id, life});
  const wire::WorkId work = *std::exchange(node.work_id, std::nullopt);
  perform(id, node.machine->on_done(work, std::move(node.outcome), now_));
  resume(id);
}

// Makes sure that there is a wake no later than the next timeout.  A wake that turns out to be too
// early costs one event; removing it from the queue would cost more.
void World::arm(NodeId id) {
  Node& node = nodes_[id];
  if (!node.machine || blocked(node)) return;
  const std::optional<wire::Instant> next = node.machine->next_timeout();
  if (!next) return;
  const wire::Instant at = std::max(*next, now_);
  if (node.wake && *node.wake <= at) return;
  if (node.timeouts >= kTimeoutsMax && node.timeouts_at == at) return;
  node.wake = at;
  queue_.add(at, {Kind::wake, id, node.life});
}

// --- time ---

void World::at(wire::Instant when, std::function<void()> what) {
  COLLAGE_CHECK(when >= now_);
  std::uint32_t index = static_cast<std::uint32_t>(scripts_.size());
  if (free_scripts_.empty()) {
    scripts_.push_back(std::move(what));
  } else {
    index = free_scripts_.back();
    free_scripts_.pop_back();
    scripts_[index] = std::move(what);
  }
  queue_.add(when, {Kind::script, index, 0});
}

bool World::step() {
  if (queue_.empty()) return false;
  const auto event = queue_.take();
  now_ = event.at;
  events_ += 1;
  const What& what = event.what;
  switch (what.kind) {
    case Kind::deliver:
      arrive(what.index, what.life);
      break;
    case Kind::wake:
      wake(what.index, what.life);
      break;
    case Kind::done:
      done(what.index, what.life);
      break;
    case Kind::script: {
      // Moved out first: the script may add others, which may move scripts_.
      const std::function<void()> script = std::move(scripts_[what.index]);
      free_scripts_.push_back(what.index);
      script();
      break;
    }
  }
  return true;
}

void World::run_until(wire::Instant until) {
  while (!queue_.empty() && queue_.next().at <= until) step();
  now_ = std::max(now_, until);
}

std::vector<std::string> World::bugs_found() const {
  std::vector<std::string> bugs;
  for (const std::string& node : restless_) bugs.push_back(node + " has timers that never rest");
  for (const Network::Undecoded& each : network_.undecoded()) {
    bugs.push_back(name(each.from) + " sent a " + each.kind + " that does not decode");
  }
  return bugs;
}

}  // namespace replay::sim
