// Processes in virtual time: the simulator's side of the contract in machine/machine.h.
//
// A node is a process: it runs one machine at a time, over several lives.  Nodes are joined by a
// Network (network.h).  While the Work of a machine is under way (its Executor decides for how
// long), or while the node is stalled, the machine is blocked: its messages and timers wait.  As in
// an iteration of the loop (runtime/loop/loop.h), at any one instant the timers of a machine come
// before its messages, and what it asks to work on begins after all messages that waited, of which
// the loop takes 64 at most.
//
// Deterministic: a virtual clock, events in order of (instant, sequence number), one Rng.  No
// threads.  The world owns the machines; executors and observers are owned by the caller.
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
#include "replay/sim/network.h"

namespace replay::sim {

// Does the Work of machines: decides its outcome and how long it takes.
class Executor {
 public:
  struct Done {
    machine::Outcome outcome;
    wire::Duration takes{};  // Time from the start of the work to its outcome.
  };
  virtual ~Executor() = default;
  virtual Done run(machine::Work work) = 0;
};

// Sees every message as it leaves and as it arrives, and every start and crash.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) = 0;
  virtual void on_delivered(NodeId from, NodeId to, const wire::Message& message,
                            wire::Instant now) = 0;
  virtual void on_life(NodeId node, bool alive, wire::Instant now) = 0;
  // The traces of a turn, before the messages that the same turn sends.
  virtual void on_traced(NodeId, const std::vector<machine::TraceEvent>&, wire::Instant) {}
  // The work that a node begins.
  virtual void on_work(NodeId, const machine::Work&, wire::Instant) {}
};

class World {
 public:
  World(Network::Policy policy, machine::Rng rng);
  World(const World&) = delete;  // The network refers to its world.
  World& operator=(const World&) = delete;

  // --- nodes and channels ---
  // Adds a node without a life.  `executor` may be null if its machines ask for no work.
  NodeId add(std::string name, Executor* executor = nullptr);
  // Joins two links; see Network::connect.
  ChannelId connect(NodeId dealer, std::uint32_t dealer_link, NodeId router,
                    std::uint32_t router_link, LinkPolicy policy);
  void set_observer(Observer* observer) { observer_ = observer; }
  void set_faults(LinkFaults faults) { network_.set_faults(faults); }

  // --- lives ---
  // Begins a life of a node.  Requires that the node has none.
  void start(NodeId node, std::unique_ptr<machine::Machine> machine);
  // Ends the life of a node, if it has one.
  void crash(NodeId node);
  // Blocks a node for a while, as SIGSTOP and SIGCONT do.
  void stall(NodeId node, wire::Duration duration);
  // Breaks the connection of a channel and makes a new one.
  void reset(ChannelId channel) { network_.reset(channel, now_); }
  // Reads the timers of a machine again.  The caller does so after it has called the machine
  // itself.
  void rearm(NodeId node) { arm(node); }

  // --- time ---
  wire::Instant now() const { return now_; }
  // Calls `what` at the time `when`.
  void at(wire::Instant when, std::function<void()> what);
  // Executes the next event; returns false if there is none.
  bool step();
  // Executes every event up to and at `until`.
  void run_until(wire::Instant until);

  // --- inspection ---
  machine::Machine* machine(NodeId node) { return nodes_[node].machine.get(); }
  bool alive(NodeId node) const { return nodes_[node].machine != nullptr; }
  const std::string& name(NodeId node) const { return nodes_[node].name; }
  const std::string& dealer_name(ChannelId id) const { return name(network_.dealer(id)); }
  std::size_t node_count() const { return nodes_.size(); }
  std::uint64_t events() const { return events_; }
  // Messages that could not be decoded and machines whose timers never rest: all of them bugs.
  std::vector<std::string> bugs_found() const;

 private:
  struct Node {
    std::string name;
    Executor* executor = nullptr;
    std::unique_ptr<machine::Machine> machine;
    std::uint32_t life = 0;  // Number of the present or latest life.
    wire::Instant stalled_until;
    std::deque<std::uint32_t> inbox;      // Packets that wait while the machine is blocked.
    std::optional<wire::Instant> wake;    // Time of the earliest wake event in the queue.
    std::optional<machine::Work> asked;   // Work that begins at the end of this turn.
    std::optional<wire::WorkId> work_id;  // The work under way,
    machine::Outcome outcome;             // and its outcome.
    wire::Instant timeouts_at;            // Time of the latest timeout,
    int timeouts = 0;                     // and the number of timeouts at that time.
  };
  enum class Kind : std::uint8_t { deliver, wake, done, script };
  struct What {
    Kind kind;
    std::uint32_t index;  // Index of a packet, a node, or a script.
    std::uint32_t life;   // Life of the node, or of a packet's receiver, when the event was added.
  };

  void perform(NodeId node, machine::Actions actions);
  void transmit(wire::Instant at, Packet packet);
  std::uint32_t store(Packet packet);
  Packet take_packet(std::uint32_t index);
  void arrive(std::uint32_t index, std::uint32_t life);
  void deliver(Packet packet);
  void wake(NodeId node, std::uint32_t life);
  void done(NodeId node, std::uint32_t life);
  void run_timers(NodeId node);
  void resume(NodeId node);
  void end_turn(NodeId node);
  void arm(NodeId node);
  bool blocked(const Node& node) const { return node.work_id || node.stalled_until > now_; }

  Network network_;
  Observer* observer_ = nullptr;
  wire::Instant now_;
  std::uint64_t events_ = 0;
  EventQueue<What> queue_;
  std::vector<Node> nodes_;
  std::vector<Packet> packets_;              // Packets on their way or in an inbox, by index.
  std::vector<std::uint32_t> free_packets_;  // Indices of packets_ that may be used again.
  std::vector<std::function<void()>> scripts_;
  std::vector<std::uint32_t> free_scripts_;  // The same of scripts_.
  std::vector<std::string> restless_;        // Names of machines whose timers never rest.
};

}  // namespace replay::sim
