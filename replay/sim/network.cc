#include "replay/sim/network.h"

#include <algorithm>
#include <span>
#include <utility>

#include "wire/check.h"
#include "wire/codec.h"

namespace replay::sim {
namespace {

constexpr std::size_t kUndecodedMax = 16;

}  // namespace

Network::Node& Network::node(NodeId id) {
  if (id >= nodes_.size()) nodes_.resize(id + 1);
  return nodes_[id];
}

ChannelId Network::connect(NodeId dealer, std::uint32_t dealer_link, NodeId router,
                           std::uint32_t router_link, LinkPolicy policy) {
  const auto id = static_cast<ChannelId>(channels_.size());
  Channel channel;
  channel.dealer = dealer;
  channel.router = router;
  channel.dealer_link = dealer_link;
  channel.router_link = router_link;
  channel.policy = policy;
  channels_.push_back(std::move(channel));
  node(router);
  std::vector<ChannelId>& links = node(dealer).dealers;
  if (links.size() <= dealer_link) links.resize(dealer_link + 1, kNone);
  COLLAGE_CHECK(links[dealer_link] == kNone);
  links[dealer_link] = id;
  return id;
}

// --- connections ---

void Network::open(ChannelId id, wire::Instant now) {
  Channel& channel = channels_[id];
  if (!nodes_[channel.dealer].alive || !nodes_[channel.router].alive) return;
  channel.connection = connections_.size();
  connections_.push_back(id);
  channel.last_up = channel.last_down = now;
  for (wire::Message& message : std::exchange(channel.held, {})) {
    launch(id, true, std::move(message), now);
  }
}

void Network::close(Channel& channel, wire::Instant now) {
  if (channel.connection == 0) return;
  channel.connection = 0;
  channel.ended = now;
}

void Network::start(NodeId id, wire::Instant now) {
  node(id).alive = true;
  for (ChannelId channel = 0; channel < channels_.size(); ++channel) {
    if (channels_[channel].dealer == id || channels_[channel].router == id) open(channel, now);
  }
}

void Network::stop(NodeId id, wire::Instant now) {
  node(id).alive = false;
  for (Channel& channel : channels_) {
    if (channel.dealer != id && channel.router != id) continue;
    close(channel, now);
    if (channel.dealer == id) channel.held.clear();  // The queue of the DEALER dies with it.
  }
}

void Network::reset(ChannelId id, wire::Instant now) {
  Channel& channel = channels_[id];
  if (channel.connection == 0) return;
  close(channel, now);
  open(id, now);
}

// --- messages ---

ChannelId Network::dealer_channel(NodeId from, std::uint32_t link) const {
  const std::vector<ChannelId>& dealers = nodes_[from].dealers;
  return link < dealers.size() ? dealers[link] : kNone;
}

NodeId Network::receiver(NodeId from, const machine::Peer& to) const {
  const ChannelId up = dealer_channel(from, to.link);
  if (up != kNone) return channels_[up].router;
  COLLAGE_CHECK(to.id > 0 && to.id < connections_.size());
  return channels_[connections_[to.id]].dealer;
}

void Network::send(NodeId from, const machine::Peer& to, wire::Message message, wire::Instant now) {
  const ChannelId up = dealer_channel(from, to.link);
  up != kNone ? send_up(up, to, std::move(message), now)
              : send_down(from, to, std::move(message), now);
}

void Network::send_up(ChannelId id, const machine::Peer& to, wire::Message message,
                      wire::Instant now) {
  Channel& channel = channels_[id];
  if (channel.connection != 0) return launch(id, true, std::move(message), now);
  if (policy_.unreachable == Unreachable::held) channel.held.push_back(std::move(message));
  if (policy_.unreachable == Unreachable::blocked) {
    bounce(channel.dealer, to, wire::Undelivered::Why::blocked, now);
  }
}

void Network::send_down(NodeId from, const machine::Peer& to, wire::Message message,
                        wire::Instant now) {
  const ChannelId id = connections_[to.id];
  const Channel& channel = channels_[id];
  COLLAGE_CHECK(channel.router == from && channel.router_link == to.link);
  if (channel.connection == to.id) return launch(id, false, std::move(message), now);
  // A peer that is connected again has another id, so the ROUTER knows that this one is gone.
  const bool noticed = channel.connection != 0 || now >= channel.ended + policy_.notice;
  if (noticed) bounce(from, to, wire::Undelivered::Why::unroutable, now);
}

// Reports to a sender, at this same instant, that its message could not be sent.
void Network::bounce(NodeId id, const machine::Peer& to, wire::Undelivered::Why why,
                     wire::Instant now) {
  transmit_(now, {id, id, 0, to, wire::Undelivered{why}});
}

void Network::launch(ChannelId id, bool up, wire::Message message, wire::Instant now) {
  Channel& channel = channels_[id];
  const NodeId from = up ? channel.dealer : channel.router;
  const NodeId to = up ? channel.router : channel.dealer;
  const machine::Peer peer = up ? machine::Peer{channel.router_link, channel.connection}
                                : machine::Peer{channel.dealer_link, 0};
  if (policy_.codec) message = through_codec(from, message);
  Packet packet{from, to, channel.connection, peer, std::move(message)};
  if (channel.policy.faulty) {
    if (rng_.chance(faults_.loss)) return;
    if (rng_.chance(faults_.duplicate)) transmit_(arrival(channel, up, now), packet);
    if (rng_.chance(faults_.delay)) {
      // Without arrival(), which keeps the order: later messages may overtake this one.
      const auto most = static_cast<std::uint64_t>(faults_.delay_max.count());
      const wire::Duration extra(static_cast<std::int64_t>(rng_.below(most + 1)));
      return transmit_(now + channel.policy.latency + extra, std::move(packet));
    }
  }
  transmit_(arrival(channel, up, now), std::move(packet));
}

// When a message arrives that is sent now and keeps its order.
wire::Instant Network::arrival(Channel& channel, bool up, wire::Instant now) {
  wire::Duration takes = channel.policy.latency;
  if (channel.policy.jitter > wire::Duration::zero()) {
    takes += wire::Duration(static_cast<std::int64_t>(
        rng_.below(static_cast<std::uint64_t>(channel.policy.jitter.count()))));
  }
  wire::Instant& last = up ? channel.last_up : channel.last_down;
  return last = std::max(last, now + takes);
}

bool Network::lost(const Packet& packet) const {
  return channels_[connections_[packet.connection]].connection != packet.connection;
}

wire::Message Network::through_codec(NodeId from, const wire::Message& message) {
  const wire::Frames frames = wire::encode(message);
  const std::span<const wire::Payload> payloads(&frames.payload, frames.has_payload ? 1 : 0);
  auto decoded = wire::decode(frames.header, payloads);
  if (decoded) return std::move(*decoded);
  if (undecoded_.size() < kUndecodedMax) {
    undecoded_.push_back({from, std::string(wire::kind(message))});
  }
  return wire::Undecodable{decoded.error()};
}

}  // namespace replay::sim
