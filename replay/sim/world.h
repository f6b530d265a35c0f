// Machines in virtual time: the simulator's side of the contract in wire/machine.h.
//
//     node (a process: one machine at a time, over several lives)
//        | DEALER link ---------------- channel ----------------> ROUTER link |  node
//        |   <- latency, jitter, in order; faults: loss, duplicates, delays -  |
//
// A channel has a connection while both of its ends live; each new life of either end, or a reset,
// gives it a new connection id, which is what the ROUTER's machine knows its peer by.  What is on
// the way when a connection ends is lost.  Without a connection
//   - what a DEALER sends is lost, held until there is one, or comes back as Undelivered{blocked},
//     as World::Policy says;
//   - what a ROUTER sends is lost for `notice`, and after that comes back at the same instant as
//     Undelivered{unroutable}, as ROUTER_MANDATORY does it.
// While its Work is under way (Runner says for how long) or while it is stalled a machine is deaf:
// its messages and timers wait.  At any one instant a machine's timers come before its messages.
//
// Deterministic: virtual clock, events in order of (instant, sequence number), one Rng.  No
// threads.  The world owns the machines; nodes, runners and observers are named by their makers.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine.h"
#include "machine/random.h"
#include "replay/sim/event_queue.h"
#include "wire/codec.h"

namespace replay::sim {

using NodeId = std::uint32_t;
using ChannelId = std::uint32_t;

// Does the Work of machines: what comes of it, and how long it takes.
class Runner {
 public:
  struct Done {
    machine::Outcome outcome;
    wire::Duration takes{};
  };
  virtual ~Runner() = default;
  virtual Done run(machine::Work work) = 0;
};

// Looks on from outside: sees every message as it leaves and as it arrives.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) = 0;
  virtual void on_delivered(NodeId from, NodeId to, const wire::Message& message,
                            wire::Instant now) = 0;
  virtual void on_life(NodeId node, bool alive, wire::Instant now) = 0;
};

// What may happen to a message on a channel that is given to faults.
struct LinkFaults {
  double loss = 0;
  double duplicate = 0;
  double delay = 0;  // Chance of being overtaken by others.
  wire::Duration delay_max{};
};

struct LinkPolicy {
  wire::Duration latency{};
  wire::Duration jitter{};  // Uniform, on top; the order of messages is kept.
  bool faulty = false;      // Whether the world's LinkFaults apply.
};

class World {
 public:
  enum class Unreachable : std::uint8_t { lost, held, blocked };
  struct Policy {
    bool codec = false;  // Every message goes through wire::encode and wire::decode.
    Unreachable unreachable = Unreachable::held;
    wire::Duration notice{};  // Until a ROUTER knows that a connection has ended.
  };

  World(Policy policy, machine::Rng rng) : policy_(policy), rng_(rng) {}

  // --- the stage set ---
  NodeId add(std::string name, Runner* runner = nullptr);
  // Joins a DEALER link of one node to a ROUTER link of another.
  ChannelId connect(NodeId dealer, std::uint32_t dealer_link, NodeId router,
                    std::uint32_t router_link, LinkPolicy policy);
  void set_observer(Observer* observer) { observer_ = observer; }
  void set_faults(LinkFaults faults) { faults_ = faults; }

  // --- lives ---
  void start(NodeId node, std::unique_ptr<machine::Machine> machine);
  void crash(NodeId node);
  void stall(NodeId node, wire::Duration duration);
  // Ends the connection of a channel and makes a new one.
  void reset(ChannelId channel);
  // The owner of a machine has called it: its timers may have changed.
  void poke(NodeId node) { arm(node); }

  // --- time ---
  wire::Instant now() const { return now_; }
  void at(wire::Instant when, std::function<void()> what);
  // Does the next event; false if there is none.
  bool step();
  // Does every event up to and at `until`.
  void run_until(wire::Instant until);

  // --- looking in ---
  machine::Machine* machine(NodeId node) { return nodes_[node].machine.get(); }
  bool alive(NodeId node) const { return nodes_[node].machine != nullptr; }
  const std::string& name(NodeId node) const { return nodes_[node].name; }
  const std::string& dealer_name(ChannelId id) const { return name(channels_[id].dealer); }
  std::size_t node_count() const { return nodes_.size(); }
  std::uint64_t events() const { return events_; }
  // Messages that could not be decoded, and machines whose timers never rest: both are bugs.
  const std::vector<std::string>& faults_found() const { return faults_found_; }

 private:
  struct Flight {
    NodeId from = 0;
    NodeId to = 0;
    std::uint64_t connection = 0;  // 0 if the driver itself says so.
    std::uint32_t life = 0;        // Of `to`, if there is no connection.
    machine::Peer peer;            // As `to` knows `from`.
    wire::Message message;
  };
  struct Node {
    std::string name;
    Runner* runner = nullptr;
    std::unique_ptr<machine::Machine> machine;
    std::uint32_t life = 0;
    std::vector<ChannelId> dealers;  // By link.
    bool working = false;
    wire::Instant stalled_until;
    std::deque<std::uint32_t> inbox;      // Flights that wait for a deaf machine.
    std::optional<wire::Instant> wake;    // The earliest wake that is due.
    std::optional<wire::WorkId> work_id;  // Of the work under way.
    machine::Outcome outcome;
    wire::Instant spinning_at;  // Guards against timers that never rest.
    int spins = 0;
  };
  struct Channel {
    NodeId dealer = 0, router = 0;
    std::uint32_t dealer_link = 0, router_link = 0;
    LinkPolicy policy;
    std::uint64_t connection = 0;  // 0 while there is none.
    wire::Instant ended;
    wire::Instant last_up, last_down;  // The latest arrival each way: order is kept.
    std::vector<wire::Message> held;
  };
  enum class Kind : std::uint8_t { deliver, wake, done, script };
  struct What {
    Kind kind;
    std::uint32_t index;  // A flight, a node, or a script.
    std::uint32_t life;
  };

  void open(Channel& channel);
  void close(Channel& channel);
  void perform(NodeId node, machine::Actions actions);
  void send_up(NodeId from, const machine::Peer& to, wire::Message message);
  void send_down(NodeId from, const machine::Peer& to, wire::Message message);
  void launch(ChannelId id, bool up, wire::Message message);
  void fly(wire::Instant at, Flight flight);
  void bounce(NodeId node, const machine::Peer& to, wire::Undelivered::Why why);
  std::uint32_t store(Flight flight);
  Flight unload(std::uint32_t index);
  void arrive(std::uint32_t index);
  void deliver(Flight flight);
  void wake(NodeId node, std::uint32_t life);
  void done(NodeId node, std::uint32_t life);
  void timers(NodeId node);
  void hear(NodeId node);
  void arm(NodeId node);
  bool deaf(const Node& node) const { return node.working || node.stalled_until > now_; }
  wire::Message through_codec(NodeId from, const wire::Message& message);

  const Policy policy_;
  machine::Rng rng_;
  LinkFaults faults_;
  Observer* observer_ = nullptr;
  wire::Instant now_;
  std::uint64_t events_ = 0;
  EventQueue<What> queue_;
  std::vector<Node> nodes_;
  std::vector<Channel> channels_;
  std::vector<ChannelId> connections_{0};  // By connection id; the first is none.
  std::vector<Flight> flights_;
  std::vector<std::uint32_t> free_flights_;
  std::vector<std::function<void()>> scripts_;
  std::vector<std::uint32_t> free_scripts_;
  std::vector<std::string> faults_found_;
};

}  // namespace replay::sim
