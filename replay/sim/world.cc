#include "replay/sim/world.h"

#include <algorithm>
#include <span>
#include <utility>

#include "wire/check.h"

namespace replay::sim {
namespace {

constexpr int kSpinsMax = 1000;
constexpr std::size_t kFaultsFoundMax = 16;

bool is_local(const wire::Message& message) { return message.index() >= wire::kWireMessages; }

}  // namespace

// --- the stage set ---

NodeId World::add(std::string name, Runner* runner) {
  nodes_.emplace_back();
  nodes_.back().name = std::move(name);
  nodes_.back().runner = runner;
  return static_cast<NodeId>(nodes_.size() - 1);
}

ChannelId World::connect(NodeId dealer, std::uint32_t dealer_link, NodeId router,
                         std::uint32_t router_link, LinkPolicy policy) {
  const auto id = static_cast<ChannelId>(channels_.size());
  Channel channel;
  channel.dealer = dealer;
  channel.router = router;
  channel.dealer_link = dealer_link;
  channel.router_link = router_link;
  channel.policy = policy;
  channels_.push_back(std::move(channel));
  std::vector<ChannelId>& links = nodes_[dealer].dealers;
  constexpr ChannelId kNone = ~ChannelId{0};
  if (links.size() <= dealer_link) links.resize(dealer_link + 1, kNone);
  COLLAGE_CHECK(links[dealer_link] == kNone);
  links[dealer_link] = id;
  return id;
}

// --- lives ---

void World::open(Channel& channel) {
  if (!alive(channel.dealer) || !alive(channel.router)) return;
  channel.connection = connections_.size();
  connections_.push_back(static_cast<ChannelId>(&channel - channels_.data()));
  channel.last_up = channel.last_down = now_;
  for (wire::Message& message : std::exchange(channel.held, {})) {
    launch(connections_.back(), true, std::move(message));
  }
}

void World::close(Channel& channel) {
  if (channel.connection == 0) return;
  channel.connection = 0;
  channel.ended = now_;
}

void World::start(NodeId id, std::unique_ptr<machine::Machine> machine) {
  Node& node = nodes_[id];
  COLLAGE_CHECK(!node.machine);
  node.machine = std::move(machine);
  node.life += 1;
  node.working = false;
  node.stalled_until = now_;
  node.wake.reset();
  if (observer_) observer_->on_life(id, true, now_);
  for (Channel& channel : channels_) {
    if (channel.dealer == id || channel.router == id) open(channel);
  }
  arm(id);
}

void World::crash(NodeId id) {
  Node& node = nodes_[id];
  if (!node.machine) return;
  node.machine.reset();
  node.work_id.reset();
  for (const std::uint32_t flight : node.inbox) unload(flight);
  node.inbox.clear();
  for (Channel& channel : channels_) {
    if (channel.dealer != id && channel.router != id) continue;
    close(channel);
    if (channel.dealer == id) channel.held.clear();
  }
  if (observer_) observer_->on_life(id, false, now_);
}

void World::stall(NodeId id, wire::Duration duration) {
  Node& node = nodes_[id];
  if (!node.machine) return;
  node.stalled_until = std::max(node.stalled_until, now_ + duration);
  node.wake = node.stalled_until;
  queue_.add(*node.wake, {Kind::wake, id, node.life});
}

void World::reset(ChannelId id) {
  Channel& channel = channels_[id];
  if (channel.connection == 0) return;
  close(channel);
  open(channel);
}

// --- messages ---

std::uint32_t World::store(Flight flight) {
  if (free_flights_.empty()) {
    flights_.push_back(std::move(flight));
    return static_cast<std::uint32_t>(flights_.size() - 1);
  }
  const std::uint32_t index = free_flights_.back();
  free_flights_.pop_back();
  flights_[index] = std::move(flight);
  return index;
}

World::Flight World::unload(std::uint32_t index) {
  free_flights_.push_back(index);
  return std::move(flights_[index]);
}

void World::fly(wire::Instant at, Flight flight) {
  const std::uint32_t index = store(std::move(flight));
  queue_.add(at, {Kind::deliver, index, 0});
}

wire::Message World::through_codec(NodeId from, const wire::Message& message) {
  const wire::Frames frames = wire::encode(message);
  const std::span<const wire::Payload> payloads(&frames.payload, frames.has_payload ? 1 : 0);
  auto decoded = wire::decode(frames.header, payloads);
  if (decoded) return std::move(*decoded);
  if (faults_found_.size() < kFaultsFoundMax) {
    faults_found_.push_back(nodes_[from].name + " sent a " + std::string(wire::kind(message)) +
                            " that does not decode");
  }
  return wire::Undecodable{decoded.error()};
}

// The last message to `to` could not be sent: its sender hears of it at this same instant.
void World::bounce(NodeId node, const machine::Peer& to, wire::Undelivered::Why why) {
  fly(now_, {node, node, 0, nodes_[node].life, to, wire::Undelivered{why}});
}

void World::launch(ChannelId id, bool up, wire::Message message) {
  Channel& channel = channels_[id];
  const NodeId from = up ? channel.dealer : channel.router;
  const NodeId to = up ? channel.router : channel.dealer;
  const machine::Peer peer = up ? machine::Peer{channel.router_link, channel.connection}
                                : machine::Peer{channel.dealer_link, 0};
  if (policy_.codec) message = through_codec(from, message);
  wire::Instant& last = up ? channel.last_up : channel.last_down;
  const auto arrival = [&] {
    wire::Duration takes = channel.policy.latency;
    if (channel.policy.jitter > wire::Duration::zero()) {
      takes += wire::Duration(static_cast<std::int64_t>(
          rng_.below(static_cast<std::uint64_t>(channel.policy.jitter.count()))));
    }
    return last = std::max(last, now_ + takes);
  };
  Flight flight{from, to, channel.connection, 0, peer, std::move(message)};
  if (channel.policy.faulty) {
    if (rng_.chance(faults_.loss)) return;
    if (rng_.chance(faults_.duplicate)) fly(arrival(), flight);
    if (rng_.chance(faults_.delay)) {
      const auto most = static_cast<std::uint64_t>(faults_.delay_max.count());
      const wire::Duration extra(static_cast<std::int64_t>(rng_.below(most + 1)));
      return fly(now_ + channel.policy.latency + extra, std::move(flight));
    }
  }
  fly(arrival(), std::move(flight));
}

void World::send_up(NodeId from, const machine::Peer& to, wire::Message message) {
  Channel& channel = channels_[nodes_[from].dealers[to.link]];
  if (observer_) observer_->on_sent(from, channel.router, message, now_);
  if (channel.connection != 0) {
    return launch(nodes_[from].dealers[to.link], true, std::move(message));
  }
  if (policy_.unreachable == Unreachable::held) channel.held.push_back(std::move(message));
  if (policy_.unreachable == Unreachable::blocked) {
    bounce(from, to, wire::Undelivered::Why::blocked);
  }
}

void World::send_down(NodeId from, const machine::Peer& to, wire::Message message) {
  COLLAGE_CHECK(to.id > 0 && to.id < connections_.size());
  const ChannelId id = connections_[to.id];
  const Channel& channel = channels_[id];
  COLLAGE_CHECK(channel.router == from && channel.router_link == to.link);
  if (observer_) observer_->on_sent(from, channel.dealer, message, now_);
  if (channel.connection == to.id) return launch(id, false, std::move(message));
  const bool noticed = channel.connection != 0 || now_ >= channel.ended + policy_.notice;
  if (noticed) bounce(from, to, wire::Undelivered::Why::unroutable);
}

void World::perform(NodeId id, machine::Actions actions) {
  for (machine::Outgoing& outgoing : actions.messages) {
    COLLAGE_CHECK(!is_local(outgoing.message));
    // A node whose link is a DEALER has a channel of its own there.
    const std::vector<ChannelId>& dealers = nodes_[id].dealers;
    const bool up = outgoing.to.link < dealers.size() && dealers[outgoing.to.link] != ~ChannelId{0};
    up ? send_up(id, outgoing.to, std::move(outgoing.message))
       : send_down(id, outgoing.to, std::move(outgoing.message));
  }
  if (!actions.work) return;
  Node& node = nodes_[id];
  COLLAGE_CHECK(node.runner && !node.working);
  node.working = true;
  node.work_id = actions.work->id;
  Runner::Done result = node.runner->run(std::move(*actions.work));
  node.outcome = std::move(result.outcome);
  queue_.add(now_ + result.takes, {Kind::done, id, node.life});
}

// --- turns ---

void World::deliver(Flight flight) {
  Node& node = nodes_[flight.to];
  timers(flight.to);
  if (deaf(node)) {  // The timers asked for work.
    node.inbox.push_front(store(std::move(flight)));
    return;
  }
  if (observer_) observer_->on_delivered(flight.from, flight.to, flight.message, now_);
  perform(flight.to, node.machine->on_message(flight.peer, std::move(flight.message), now_));
}

void World::arrive(std::uint32_t index) {
  const Flight& flight = flights_[index];
  Node& node = nodes_[flight.to];
  const bool lost = flight.connection != 0
                        ? channels_[connections_[flight.connection]].connection != flight.connection
                        : node.life != flight.life || !node.machine;
  if (lost) {
    unload(index);
  } else if (deaf(node) || !node.inbox.empty()) {
    node.inbox.push_back(index);
  } else {
    const NodeId to = flight.to;
    deliver(unload(index));
    arm(to);
  }
}

void World::timers(NodeId id) {
  Node& node = nodes_[id];
  const std::optional<wire::Instant> due = node.machine->next_timeout();
  if (!due || *due > now_) return;
  if (node.spinning_at != now_) {
    node.spinning_at = now_;
    node.spins = 0;
  }
  if (++node.spins == kSpinsMax && faults_found_.size() < kFaultsFoundMax) {
    faults_found_.push_back(node.name + " has timers that never rest");
  }
  if (node.spins >= kSpinsMax) return;
  perform(id, node.machine->on_timeout(now_));
}

// Takes up what waited while the machine was deaf.  What has arrived is heard even if its
// connection has ended since, as with a socket's queue.
void World::hear(NodeId id) {
  Node& node = nodes_[id];
  if (!deaf(node)) timers(id);
  while (!deaf(node) && !node.inbox.empty()) {
    const std::uint32_t index = node.inbox.front();
    node.inbox.pop_front();
    deliver(unload(index));
  }
  arm(id);
}

void World::wake(NodeId id, std::uint32_t life) {
  Node& node = nodes_[id];
  if (!node.machine || node.life != life) return;
  if (node.wake && *node.wake <= now_) node.wake.reset();
  if (!deaf(node)) hear(id);
}

void World::done(NodeId id, std::uint32_t life) {
  Node& node = nodes_[id];
  if (!node.machine || node.life != life || !node.work_id) return;
  if (node.stalled_until > now_) return queue_.add(node.stalled_until, {Kind::done, id, life});
  node.working = false;
  const wire::WorkId work = *std::exchange(node.work_id, std::nullopt);
  perform(id, node.machine->on_done(work, std::move(node.outcome), now_));
  hear(id);
}

// Sees to it that there is a wake no later than the next timeout.  A wake that turns out to be too
// early costs one event; to take it out again would cost more.
void World::arm(NodeId id) {
  Node& node = nodes_[id];
  if (!node.machine || deaf(node)) return;
  const std::optional<wire::Instant> next = node.machine->next_timeout();
  if (!next) return;
  const wire::Instant at = std::max(*next, now_);
  if (node.wake && *node.wake <= at) return;
  if (node.spins >= kSpinsMax && node.spinning_at == at) return;
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
      arrive(what.index);
      break;
    case Kind::wake:
      wake(what.index, what.life);
      break;
    case Kind::done:
      done(what.index, what.life);
      break;
    case Kind::script: {
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

}  // namespace replay::sim
