// The whole pipeline in one thread: the real machines, joined by queues, in virtual time.
//
//     client -- broker -- c0 c1 c2 ...        A link takes no time and keeps order.  A stage is
//                |  \        \                blocked while it works, as with the live driver.  A
//              sink  assembler -- collage     machine that is killed loses all it had; what is
//                                             sent to it comes back (ROUTER) or waits for the
//                                             next (DEALER).
//
// Pictures are names: an image is the name of what it shows, a canvas the names of its slots.
// "garbage" is no image; a name that ends in '?' leaves the collage-CNN unsure, and one that ends
// in
// '!' it takes for the label after it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine.h"

namespace scenario {

class World {
 public:
  // Makes the machine of a node for its n-th life, counted from 1.
  using Maker = std::function<std::unique_ptr<machine::Machine>(std::uint64_t life)>;
  struct Link {
    std::string to;
    std::uint32_t there = 0;  // The link as the node at its other end has it.
    bool many = false;        // Many peers share it: this end is the one that is connected to.
  };

  explicit World(std::vector<std::string> labels) : labels_(std::move(labels)) {}

  // Nodes that are due at one instant go in the order in which they were added.
  void add(const std::string& node, Maker maker, wire::Duration service);
  // Joins `from`'s link `here` to the link `there` of `to`, which many share.
  void connect(const std::string& from, std::uint32_t here, const std::string& to,
               std::uint32_t there);

  void start(const std::string& node);
  void kill(const std::string& node);
  // How long its work takes from the next task on; nullopt for ever.
  void set_service(const std::string& node, std::optional<wire::Duration> service);
  bool has(const std::string& node) const { return index_.contains(node); }
  machine::Machine* machine(const std::string& node);

  // Lets everything happen that is due until then; calls `after` when a node has had a turn.
  void run(wire::Instant until, const std::function<void(const std::string& node)>& after);
  wire::Instant now() const { return now_; }
  // What the machines had to say since last asked.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

 private:
  struct Delivery {
    std::size_t from = 0;  // The node.
    machine::Peer peer;    // As the receiver sees it.
    wire::Message message;
  };
  struct Node {
    std::string name;
    Maker maker;
    std::uint64_t life = 0;
    std::unique_ptr<machine::Machine> machine;
    std::map<std::uint32_t, Link> links;
    std::optional<wire::Duration> service;
    std::optional<machine::Work> work;
    std::optional<wire::Instant> done_at;
    std::deque<Delivery> inbox;
  };

  void act(std::size_t node, machine::Actions actions);
  void send(std::size_t from, machine::Outgoing out);
  bool turn(std::size_t node);
  std::optional<wire::Instant> due(const Node& node) const;
  machine::Outcome outcome(const Node& node) const;
  wire::Verdict look(const std::string& name, float probability) const;

  const std::vector<std::string> labels_;
  std::vector<Node> nodes_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::string> notes_;
  wire::Instant now_;
};

}  // namespace scenario
