#include "replay/sim/fleet.h"

#include <string>
#include <utility>

#include "broker/broker.h"
#include "stages/classifier/classifier.h"
#include "stages/collage/assembler.h"
#include "stages/collage/collage_worker.h"
#include "wire/check.h"

namespace replay::sim {

using stages::collage::Assembler;
using stages::collage::CollageWorker;

Fleet::Fleet(FleetPolicy policy, World& world, Runner& runner, wire::Rng rng)
    : policy_(std::move(policy)), world_(world), runner_(runner), rng_(rng) {
  COLLAGE_CHECK(world_.node_count() == 0);
  broker_ = add(Kind::broker, "broker");
  sink_ = add(Kind::sink, "sink");
  const auto join = [this](NodeId dealer, std::uint32_t dealer_link, NodeId router,
                           std::uint32_t router_link) {
    channels_.push_back(world_.connect(dealer, dealer_link, router, router_link, policy_.link));
  };
  join(sink_, stages::sink::kBroker, broker_, broker::kWorkers);
  for (std::size_t i = 0; i < policy_.classifiers; ++i) {
    classifiers_.push_back(add(Kind::classifier, "classifier-" + std::to_string(i)));
    join(classifiers_.back(), stages::classifier::kBroker, broker_, broker::kWorkers);
    join(classifiers_.back(), stages::classifier::kSink, sink_, stages::sink::kStages);
  }
  for (std::size_t i = 0; i < policy_.assemblers; ++i) {
    const NodeId assembler = add(Kind::assembler, "assembler-" + std::to_string(i));
    const NodeId collage = add(Kind::collage, "collage-" + std::to_string(i));
    assemblers_.push_back(assembler);
    collages_.push_back(collage);
    join(assembler, Assembler::kBroker, broker_, broker::kWorkers);
    join(assembler, Assembler::kSink, sink_, stages::sink::kStages);
    world_.connect(collage, CollageWorker::kAssembler, assembler, Assembler::kCollage,
                   policy_.inner_link);
    join(collage, CollageWorker::kSink, sink_, stages::sink::kStages);
  }
  for (std::size_t i = 0; i < policy_.producers; ++i) {
    producers_.push_back(add(Kind::producer, "producer-" + std::to_string(i)));
    join(producers_.back(), 0, broker_, broker::kProducers);
  }
}

NodeId Fleet::add(Kind kind, const std::string& name) {
  kinds_.push_back(kind);
  return world_.add(name, &runner_);
}

std::uint64_t Fleet::draw_id() { return rng_.next(); }

void Fleet::start_all() {
  for (NodeId node = 0; node < kinds_.size(); ++node) start(node);
}

void Fleet::start(NodeId node) { world_.start(node, make(node)); }

producer::Client& Fleet::client(NodeId node) {
  COLLAGE_CHECK(kind(node) == Kind::producer && world_.alive(node));
  return static_cast<producer::Client&>(*world_.machine(node));
}

wire::WorkerHello Fleet::hello(wire::Role role, std::uint32_t capacity) {
  wire::WorkerHello hello;
  hello.worker = {draw_id(), draw_id()};
  hello.role = role;
  hello.model.labels_hash = wire::labels_hash(policy_.broker.labels);
  const bool whole = role == wire::Role::assembler || role == wire::Role::collage;
  hello.model.grid = whole ? static_cast<std::uint8_t>(policy_.broker.grid) : std::uint8_t{0};
  hello.capacity = capacity;
  return hello;
}

std::optional<stages::Emulation> Fleet::emulation() {
  if (policy_.table.empty()) return std::nullopt;
  return stages::Emulation{wire::QuantileTable(policy_.table), rng_.split()};
}

// Ids and seeds are drawn in separate statements: arguments have no order.
std::unique_ptr<wire::Machine> Fleet::make(NodeId node) {
  switch (kind(node)) {
    case Kind::broker:
      return std::make_unique<broker::Broker>(policy_.broker, wire::Epoch{draw_id()});
    case Kind::sink:
      return std::make_unique<stages::sink::Sink>(wire::WorkerId{draw_id(), draw_id()},
                                                  policy_.sink);
    case Kind::classifier: {
      const wire::WorkerHello own = hello(wire::Role::classifier, policy_.classifier_capacity);
      return std::make_unique<stages::classifier::Classifier>(own, policy_.membership, emulation());
    }
    case Kind::assembler: {
      const wire::WorkerHello own = hello(wire::Role::assembler, policy_.assembler_capacity);
      return std::make_unique<Assembler>(
          own, wire::Epoch{draw_id()},
          Assembler::Policy{policy_.membership, policy_.broker.heartbeat});
    }
    case Kind::collage: {
      const wire::WorkerHello own = hello(wire::Role::collage, policy_.collage_capacity);
      return std::make_unique<CollageWorker>(own, policy_.membership, emulation());
    }
    case Kind::producer: {
      producer::Policy own = policy_.producer;
      own.producer = {draw_id(), draw_id()};
      return std::make_unique<producer::Client>(own);
    }
  }
  return nullptr;
}

}  // namespace replay::sim
