// A whole pipeline as nodes of a World: one broker, one sink, s-CNN stages, assemblers with a
// collage-CNN each, and producers, all of them the machines that ship.
//
//     producers -> broker -> classifiers -> sink -> broker
//                       \--> assemblers -> collage workers -> sink
//
// A fleet knows how to make each machine anew: a restarted process has another id (or epoch) and
// remembers nothing.  It decides nothing else.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "broker/policy.h"
#include "producer/client.h"
#include "replay/sim/token_runner.h"
#include "replay/sim/world.h"
#include "stages/membership.h"
#include "stages/sink/sink.h"
#include "stages/task_line.h"

namespace replay::sim {

struct FleetPolicy {
  broker::Policy broker;
  stages::sink::Sink::Policy sink;
  stages::Membership::Policy membership;
  producer::Policy producer;
  std::size_t classifiers = 0;
  std::size_t assemblers = 0;  // Each with a collage-CNN of its own.
  std::size_t producers = 1;
  std::uint32_t classifier_capacity = 1;
  std::uint32_t assembler_capacity = 1;  // Batches.
  std::uint32_t collage_capacity = 1;
  LinkPolicy link;
  LinkPolicy inner_link;  // Between an assembler and its collage-CNN.
  // Seconds that a stage holds an answer back, as stages::Emulation does it; empty for none.
  std::vector<wire::QuantileTable::Row> table;
};

class Fleet {
 public:
  // `runner` serves every stage and, as the world, outlives the fleet.
  Fleet(FleetPolicy policy, World& world, Runner& runner, wire::Rng rng);

  void start_all();
  // Begins a new life of a node that has none.
  void start(NodeId node);

  enum class Kind : std::uint8_t { broker, sink, classifier, assembler, collage, producer };
  Kind kind(NodeId node) const { return kinds_[node]; }
  NodeId broker() const { return broker_; }
  NodeId sink() const { return sink_; }
  const std::vector<NodeId>& classifiers() const { return classifiers_; }
  const std::vector<NodeId>& assemblers() const { return assemblers_; }
  const std::vector<NodeId>& collages() const { return collages_; }
  const std::vector<NodeId>& producers() const { return producers_; }
  // The client that a producer's node runs.  Requires that it lives.
  producer::Client& client(NodeId producer);
  // The channels between processes, without the inner ones of a stage.
  const std::vector<ChannelId>& channels() const { return channels_; }

 private:
  std::unique_ptr<wire::Machine> make(NodeId node);
  wire::WorkerHello hello(wire::Role role, std::uint32_t capacity);
  std::optional<stages::Emulation> emulation();
  NodeId add(Kind kind, const std::string& name);
  std::uint64_t draw_id();

  const FleetPolicy policy_;
  World& world_;
  Runner& runner_;
  wire::Rng rng_;
  NodeId broker_ = 0, sink_ = 0;
  std::vector<NodeId> classifiers_, assemblers_, collages_, producers_;
  std::vector<Kind> kinds_;  // By node.
  std::vector<ChannelId> channels_;
};

}  // namespace replay::sim
