// The network between the processes of a simulation: DEALER links, each joined to a ROUTER link.
//
//     node  DEALER link ---------------- channel ----------------> ROUTER link  node
//           <- latency, jitter, in order; link faults: loss, duplicates, delays -
//
// A channel has a connection while both of its ends live.  Each new life of either end, and a
// reset, gives the channel a new connection id, which is how the ROUTER's machine knows its peer.
// Messages on the way when a connection ends are lost.  Without a connection
//   - a message of a DEALER is lost, held until there is a connection, or comes back as
//     Undelivered{blocked}, as Network::Policy chooses;
//   - a message of a ROUTER is lost for `notice`, and after that comes back at the same instant as
//     Undelivered{unroutable}, as ROUTER_MANDATORY does it.
//
// The network knows no machines and no events.  It turns a message into packets with an arrival
// time and hands them to its `transmit` function; World (world.h) delivers them.
//
// Deterministic: one Rng, drawn from in the order of sending.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "machine/random.h"

namespace replay::sim {

using NodeId = std::uint32_t;
using ChannelId = std::uint32_t;

// What may happen to a message on a faulty channel; each is the probability for one message.
struct LinkFaults {
  double loss = 0;
  double duplicate = 0;
  double delay = 0;            // Probability that later messages may overtake this one.
  wire::Duration delay_max{};  // Longest extra time of a delayed message.
};

struct LinkPolicy {
  wire::Duration latency{};  // One way.
  wire::Duration jitter{};   // Uniform, added to the latency; the order of messages is kept.
  bool faulty = false;       // Whether the network's LinkFaults apply.
};

// A message on its way.
struct Packet {
  NodeId from = 0;
  NodeId to = 0;
  std::uint64_t connection = 0;  // 0 if the simulator itself reports something to `to`.
  machine::Peer peer;            // The name under which `to` knows `from`.
  wire::Message message;
};

class Network {
 public:
  enum class Unreachable : std::uint8_t { lost, held, blocked };
  struct Policy {
    bool codec = false;  // Whether every message goes through wire::encode and wire::decode.
    Unreachable unreachable = Unreachable::held;
    wire::Duration notice{};  // Time until a ROUTER knows that a connection has ended.
  };
  // Takes a packet and the time at which it arrives.
  using Transmit = std::function<void(wire::Instant at, Packet packet)>;

  Network(Policy policy, machine::Rng rng, Transmit transmit)
      : policy_(policy), rng_(rng), transmit_(std::move(transmit)) {}

  // Joins a DEALER link of one node to a ROUTER link of another.  The ids of nodes are small and
  // dense.  Requires that the DEALER link is not joined yet.
  ChannelId connect(NodeId dealer, std::uint32_t dealer_link, NodeId router,
                    std::uint32_t router_link, LinkPolicy policy);
  void set_faults(LinkFaults faults) { faults_ = faults; }

  // A node begins or ends a life.
  void start(NodeId node, wire::Instant now);
  void stop(NodeId node, wire::Instant now);
  // Ends the connection of a channel, if it has one, and opens a new one.
  void reset(ChannelId channel, wire::Instant now);

  // Where a message of a node goes.
  NodeId receiver(NodeId from, const machine::Peer& to) const;
  // Transmits a message: none, one or two packets to its receiver, or one back to its sender.
  void send(NodeId from, const machine::Peer& to, wire::Message message, wire::Instant now);

  // Whether the connection of a packet has ended since it was sent.  Requires a connection.
  bool lost(const Packet& packet) const;
  NodeId dealer(ChannelId channel) const { return channels_[channel].dealer; }
  // Messages that could not be decoded, by sender; each is a bug of the codec.
  struct Undecoded {
    NodeId from = 0;
    std::string kind;
  };
  const std::vector<Undecoded>& undecoded() const { return undecoded_; }

 private:
  struct Node {
    bool alive = false;
    std::vector<ChannelId> dealers;  // Channels by DEALER link; kNone where there is none.
  };
  struct Channel {
    NodeId dealer = 0, router = 0;
    std::uint32_t dealer_link = 0, router_link = 0;
    LinkPolicy policy;
    std::uint64_t connection = 0;       // 0 while there is none.
    wire::Instant ended;                // When the latest connection ended.
    wire::Instant last_up, last_down;   // The latest arrival each way, which keeps the order.
    std::vector<wire::Message> held{};  // Messages of the DEALER that wait for a connection.
  };
  static constexpr ChannelId kNone = ~ChannelId{0};

  Node& node(NodeId id);
  // The channel of a DEALER link; kNone if the link is a ROUTER.
  ChannelId dealer_channel(NodeId from, std::uint32_t link) const;
  void open(ChannelId id, wire::Instant now);
  void close(Channel& channel, wire::Instant now);
  void send_up(ChannelId id, const machine::Peer& to, wire::Message message, wire::Instant now);
  void send_down(NodeId from, const machine::Peer& to, wire::Message message, wire::Instant now);
  void launch(ChannelId id, bool up, wire::Message message, wire::Instant now);
  wire::Instant arrival(Channel& channel, bool up, wire::Instant now);
  void bounce(NodeId node, const machine::Peer& to, wire::Undelivered::Why why, wire::Instant now);
  wire::Message through_codec(NodeId from, const wire::Message& message);

  const Policy policy_;
  machine::Rng rng_;
  const Transmit transmit_;
  LinkFaults faults_;
  std::vector<Node> nodes_;
  std::vector<Channel> channels_;
  std::vector<ChannelId> connections_{kNone};  // Channels by connection id, which begins at 1.
  std::vector<Undecoded> undecoded_;           // The first kUndecodedMax of them.
};

}  // namespace replay::sim
