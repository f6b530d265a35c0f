#include "replay/sim/fleet.h"

#include <string>
#include <string_view>
#include <utility>

#include "broker/broker.h"
#include "replay/load/invalid_answer.h"
#include "stages/classifier/classifier.h"
#include "stages/collage/assembler.h"
#include "stages/collage/collage_worker.h"
#include "wire/check.h"

namespace replay::sim {

using stages::collage::Assembler;
using stages::collage::CollageWorker;

Fleet::Fleet(FleetPolicy policy, World& world, Executor& executor, machine::Rng rng)
    : policy_(std::move(policy)),
      world_(world),
      executor_(executor),
      first_(static_cast<NodeId>(world.node_count())),
      rng_(rng) {
  broker_ = add(Kind::broker, "broker");
  policy_.broker.sink_max = policy_.sinks;
  for (std::size_t i = 0; i < policy_.sinks; ++i) {
    sinks_.push_back(add(Kind::sink, i == 0 ? "sink" : "sink-" + std::to_string(i)));
    join(sinks_.back(), stages::sink::kBroker, broker_, broker::kWorkers);
  }
  for (std::size_t i = 0; i < policy_.classifiers; ++i) {
    classifiers_.push_back(add(Kind::classifier, "classifier-" + std::to_string(i)));
    join(classifiers_.back(), stages::classifier::kBroker, broker_, broker::kWorkers);
    join_sinks(classifiers_.back(), stages::classifier::kSink);
  }
  for (std::size_t i = 0; i < policy_.assemblers; ++i) {
    const NodeId assembler = add(Kind::assembler, "assembler-" + std::to_string(i));
    const NodeId collage = add(Kind::collage, "collage-" + std::to_string(i));
    assemblers_.push_back(assembler);
    collages_.push_back(collage);
    join(assembler, Assembler::kBroker, broker_, broker::kWorkers);
    join_sinks(assembler, Assembler::kSink);
    world_.connect(collage, CollageWorker::kAssembler, assembler, Assembler::kCollage,
                   policy_.inner_link);
    join_sinks(collage, CollageWorker::kSink);
  }
  for (std::size_t i = 0; i < policy_.producers; ++i) {
    producers_.push_back(add(Kind::producer, "producer-" + std::to_string(i)));
    join(producers_.back(), 0, broker_, broker::kProducers);
  }
}

void Fleet::know(const Fleet& other, LinkPolicy link) {
  for (const NodeId producer : producers_) {
    COLLAGE_CHECK(!world_.alive(producer));
    world_.connect(producer, brokers_, other.broker(), broker::kProducers, link);
  }
  ++brokers_;
}

NodeId Fleet::add(Kind kind, const std::string& name) {
  kinds_.push_back(kind);
  executors_.emplace_back(executor_);
  return world_.add(name, &executors_.back());
}

void Fleet::join_sinks(NodeId stage, std::uint32_t first) {
  for (std::uint32_t i = 0; i < sinks_.size(); ++i) {
    join(stage, first + i, sinks_[i], stages::sink::kStages);
  }
}

void Fleet::join(NodeId dealer, std::uint32_t dealer_link, NodeId router,
                 std::uint32_t router_link) {
  LinkPolicy policy = policy_.link;
  for (const std::string& process : policy_.faulty) {
    for (const NodeId node : nodes_of(process)) {
      policy.faulty = policy.faulty || node == dealer || node == router;
    }
  }
  channels_.push_back(world_.connect(dealer, dealer_link, router, router_link, policy));
}

std::vector<NodeId> Fleet::nodes_of(const std::string& process) const {
  constexpr std::string_view kCollage = "collage-";
  std::vector<NodeId> nodes;
  for (NodeId node = first_; node < first_ + kinds_.size(); ++node) {
    const std::string& name = world_.name(node);
    const bool inner =
        process.starts_with(kCollage) && name == "assembler-" + process.substr(kCollage.size());
    if (name == process || inner) nodes.push_back(node);
  }
  return nodes;
}

void Fleet::set_garbage(const std::string& process, bool on) {
  for (const NodeId node : nodes_of(process)) executors_[node - first_].set(on);
}

Executor::Done GarblingExecutor::run(machine::Work work) {
  Done done = inner_.run(std::move(work));
  if (!on_) return done;
  const wire::Predictions invalid = load::invalid_answer();
  if (auto* verdict = std::get_if<wire::Verdict>(&done.outcome.what)) {
    verdict->predictions = invalid;
    for (machine::Outcome& each : done.outcome.more) {
      std::get<wire::Verdict>(each.what).predictions = invalid;
    }
  } else if (auto* cells = std::get_if<machine::Cells>(&done.outcome.what)) {
    for (wire::Predictions& cell : cells->cells) cell = invalid;
  }
  return done;
}

std::uint64_t Fleet::draw_id() { return rng_.next(); }

void Fleet::start_all() {
  for (NodeId node = first_; node < first_ + kinds_.size(); ++node) start(node);
}

void Fleet::start(NodeId node) { world_.start(node, make(node)); }

producer::Client& Fleet::client(NodeId node) {
  COLLAGE_CHECK(kind(node) == Kind::producer && world_.alive(node));
  return static_cast<producer::Client&>(*world_.machine(node));
}

bool Fleet::corrects(NodeId node) const {
  return kind(node) == Kind::producer && node - producers_.front() < policy_.correcting;
}

// All of them run on one host; the index is that of the name, such as 3 of "classifier-3".
wire::WorkerHello Fleet::hello(NodeId node, wire::Role role, std::uint32_t capacity) {
  wire::WorkerHello hello;
  hello.worker = {draw_id(), draw_id()};
  hello.role = role;
  hello.model.labels_hash = wire::labels_hash(policy_.broker.labels);
  const bool whole = role == wire::Role::assembler || role == wire::Role::collage;
  hello.model.grid = whole ? static_cast<std::uint8_t>(policy_.broker.grid) : std::uint8_t{0};
  hello.capacity = capacity;
  const std::string& name = world_.name(node);
  hello.location.host = "simulated";
  hello.location.index = static_cast<std::uint32_t>(std::stoul(name.substr(name.rfind('-') + 1)));
  return hello;
}

std::optional<stages::Emulation> Fleet::emulation(NodeId node) {
  if (!policy_.latency) return std::nullopt;
  const auto spell = policy_.spells.find(world_.name(node));
  return stages::Emulation(*policy_.latency, rng_.split(),
                           spell == policy_.spells.end() ? stages::Spell{} : spell->second);
}

// Draws ids and seeds in separate statements, because the order in which a call evaluates its
// arguments is not defined and every run of a seed must draw the same.
std::unique_ptr<machine::Machine> Fleet::make(NodeId node) {
  switch (kind(node)) {
    case Kind::broker:
      return std::make_unique<broker::Broker>(policy_.broker, wire::Epoch{draw_id()});
    case Kind::sink: {
      stages::sink::Sink::Policy own = policy_.sink;
      own.index = static_cast<wire::SinkIndex>(node - sinks_.front());
      return std::make_unique<stages::sink::Sink>(wire::WorkerId{draw_id(), draw_id()}, own);
    }
    case Kind::classifier: {
      const wire::WorkerHello own =
          hello(node, wire::Role::classifier, policy_.classifier_capacity);
      auto classifier = std::make_unique<stages::classifier::Classifier>(
          own, policy_.membership, emulation(node), policy_.sinks);
      classifier->set_together(policy_.classifier_together);
      return classifier;
    }
    case Kind::assembler: {
      const wire::WorkerHello own = hello(node, wire::Role::assembler, policy_.assembler_capacity);
      return std::make_unique<Assembler>(
          own, wire::Epoch{draw_id()},
          Assembler::Policy{policy_.membership, policy_.broker.heartbeat, {}, policy_.sinks});
    }
    case Kind::collage: {
      const wire::WorkerHello own = hello(node, wire::Role::collage, policy_.collage_capacity);
      return std::make_unique<CollageWorker>(own, policy_.membership, emulation(node),
                                             policy_.sinks);
    }
    case Kind::producer: {
      producer::Policy own = policy_.producer;
      own.producer = {draw_id(), draw_id()};
      own.corrections = corrects(node);
      own.brokers = brokers_;
      return std::make_unique<producer::Client>(own);
    }
  }
  return nullptr;
}

}  // namespace replay::sim
