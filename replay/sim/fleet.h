// A whole pipeline as nodes of a World: one broker, one sink, s-CNN stages, assemblers with a
// collage-CNN each, and producers, all of them the machines that ship.
//
//     producers -> broker -> classifiers -> sink -> broker
//                       \--> assemblers -> collage workers -> sink
//
// A fleet makes a new machine for each life of a process: a restarted process has another id (or
// epoch) and no memory of the life before.  A fleet decides nothing else.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/policy.h"
#include "producer/client.h"
#include "replay/sim/token_executor.h"
#include "replay/sim/world.h"
#include "stages/emulation.h"
#include "stages/membership.h"
#include "stages/sink/sink.h"

namespace replay::sim {

struct FleetPolicy {
  broker::Policy broker;
  stages::sink::Sink::Policy sink;
  stages::Membership::Policy membership;
  producer::Policy producer;
  std::size_t classifiers = 0;
  std::size_t assemblers = 0;  // Each has its own collage-CNN.
  std::size_t sinks = 1;
  std::size_t producers = 1;
  std::size_t correcting = 0;             // The first so many producers ask for corrections.
  std::uint32_t classifier_capacity = 1;  // Images that a classifier takes at once.
  std::size_t classifier_together = 1;    // Images that it classifies in one piece of work.
  std::uint32_t assembler_capacity = 1;   // Batches that an assembler takes at once.
  std::uint32_t collage_capacity = 1;     // Collages that a collage-CNN takes at once.
  LinkPolicy link;
  LinkPolicy inner_link;         // The link between an assembler and its collage-CNN.
  std::set<std::string> faulty;  // Processes with faulty links, by the names of nodes_of().
  // How long stages hold their answers back; nullopt if they do not.
  std::optional<stages::LatencySource> latency;
  // Stages with a slow spell, by node name: "classifier-3", "collage-0".
  std::map<std::string, stages::Spell> spells;
};

// An executor whose answers are invalid while it is switched on.
class GarblingExecutor : public Executor {
 public:
  explicit GarblingExecutor(Executor& inner) : inner_(inner) {}
  Done run(machine::Work work) override;
  void set(bool on) { on_ = on; }

 private:
  Executor& inner_;
  bool on_ = false;
};

class Fleet {
 public:
  // Borrows world and executor, which serves every stage.  A world may have several fleets; all
  // nodes of a fleet are added here.
  Fleet(FleetPolicy policy, World& world, Executor& executor, machine::Rng rng);

  // Gives every producer a link to the broker of another fleet, the one that it prefers next.
  // Requires that no producer has begun a life.
  void know(const Fleet& other, LinkPolicy link);

  void start_all();
  // Begins a new life of a node that has none.
  void start(NodeId node);

  enum class Kind : std::uint8_t { broker, sink, classifier, assembler, collage, producer };
  // Throws std::out_of_range for a stranger.
  Kind kind(NodeId node) const { return kinds_.at(node - first_); }
  NodeId broker() const { return broker_; }
  // The first sink; all of them.
  NodeId sink() const { return sinks_.front(); }
  const std::vector<NodeId>& sinks() const { return sinks_; }
  const std::vector<NodeId>& classifiers() const { return classifiers_; }
  const std::vector<NodeId>& assemblers() const { return assemblers_; }
  const std::vector<NodeId>& collages() const { return collages_; }
  const std::vector<NodeId>& producers() const { return producers_; }
  // The nodes of a process as `collage-replay` names them: "broker", "sink", "sink-1",
  // "classifier-3", and "collage-0" for an assembler with its collage-CNN.  Empty if there is none
  // of that name.
  std::vector<NodeId> nodes_of(const std::string& process) const;
  // Makes the answers of a process invalid from here on, or valid again.
  void set_garbage(const std::string& process, bool on);
  // The client that a producer's node runs.  Requires that the node is alive.
  producer::Client& client(NodeId producer);
  // Whether a producer asks for corrections.
  bool corrects(NodeId producer) const;
  // The channels between processes, without the inner ones of a stage.
  const std::vector<ChannelId>& channels() const { return channels_; }

 private:
  std::unique_ptr<machine::Machine> make(NodeId node);
  wire::WorkerHello hello(NodeId node, wire::Role role, std::uint32_t capacity);
  std::optional<stages::Emulation> emulation(NodeId node);
  NodeId add(Kind kind, const std::string& name);
  // Joins the links of a stage from `first` on to all sinks.
  void join_sinks(NodeId stage, std::uint32_t first);
  void join(NodeId dealer, std::uint32_t dealer_link, NodeId router, std::uint32_t router_link);
  std::uint64_t draw_id();

  FleetPolicy policy_;
  World& world_;
  Executor& executor_;
  const NodeId first_;                      // The id of the first node.
  std::uint32_t brokers_ = 1;               // The brokers that the producers know.
  std::deque<GarblingExecutor> executors_;  // One for each node.
  machine::Rng rng_;
  NodeId broker_ = 0;
  std::vector<NodeId> sinks_, classifiers_, assemblers_, collages_, producers_;
  std::vector<Kind> kinds_;  // One for each node.
  std::vector<ChannelId> channels_;
};

}  // namespace replay::sim
