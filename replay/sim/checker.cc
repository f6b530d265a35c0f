#include "replay/sim/checker.h"

#include <algorithm>

#include "broker/policy.h"

namespace replay::sim {
namespace {

// The weights of producers, whose keys have the names of their nodes.
OverloadChecker::Weights weights_of(const TrialOptions& options, const World& world,
                                    const Fleet& fleet) {
  OverloadChecker::Weights weights;
  for (const NodeId producer : fleet.producers()) {
    weights[producer] =
        broker::weight_of(options.fleet.broker.weights, world.name(producer), wire::ProducerId{});
  }
  return weights;
}

}  // namespace

Checker::Checker(const TrialOptions& options, const World& world, const Fleet& fleet, EventLog& log)
    : options_(options),
      world_(world),
      fleet_(fleet),
      log_(log),
      violations_(log),
      requests_(options, world, violations_),
      links_(options, violations_),
      gauges_(options, violations_),
      overload_(options, violations_, weights_of(options, world, fleet)),
      expiry_(violations_),
      sinks_(options, violations_) {}

void Checker::on_submit(NodeId producer, wire::RequestId request, const Asked& asked) {
  requests_.on_submit(producer, request, asked);
}

bool Checker::on_cancel(NodeId producer, wire::RequestId request, std::uint64_t token) {
  return requests_.on_cancel(producer, request, token);
}

void Checker::on_results(NodeId producer, const std::vector<producer::Delivered>& results,
                         wire::Instant now) {
  for (const producer::Delivered& each : results) requests_.on_result(producer, each, now);
}

void Checker::on_corrections(NodeId producer, const std::vector<producer::Correction>& corrections,
                             wire::Instant now) {
  for (const producer::Correction& each : corrections) requests_.on_correction(producer, each, now);
}

void Checker::on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) {
  log_.message(world_.name(from), world_.name(to), message, now);
  sinks_.on_time(now);
  check_sent(from, to, message, now);
  sinks_.on_sent(from, to, message, now);
  if (from == fleet_.broker()) overload_.on_sent(to, message, now);
}

void Checker::on_traced(NodeId node, const std::vector<machine::TraceEvent>& events,
                        wire::Instant now) {
  if (node == fleet_.broker()) overload_.on_traced(events, now);
}

void Checker::on_work(NodeId node, const machine::Work& work, wire::Instant now) {
  expiry_.on_work(node, work, now);
}

void Checker::check_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) {
  if (const auto* assign = std::get_if<wire::Assign>(&message)) {
    links_.on_assign(*assign, now);
    links_.on_given(to, world_.name(to), capacity(to), *assign, now);
    if (fleet_.kind(to) == Fleet::Kind::classifier) gauges_.on_task_sent();
  } else if (const auto* sealed = std::get_if<wire::BatchSealed>(&message)) {
    links_.on_sealed(*sealed, now);
  } else if (const auto* settled = std::get_if<wire::SlotSettled>(&message)) {
    links_.on_settled(from, *settled, now);
  } else if (const auto* disagreement = std::get_if<wire::Disagreement>(&message)) {
    links_.on_disagreement(from, *disagreement, now);
  } else if (const auto* ready = std::get_if<wire::Ready>(&message)) {
    // A sink sends Ready, too, but takes no tasks.
    if (fleet_.kind(from) != Fleet::Kind::sink)
      links_.on_ready(world_.name(from), capacity(from), *ready, now);
  } else if (const auto* correction = std::get_if<wire::Correction>(&message)) {
    requests_.on_correction_sent(to, *correction, fleet_.corrects(to), now);
  } else if (const auto* result = std::get_if<wire::Result>(&message)) {
    gauges_.on_result_sent(*result);
    requests_.on_result_sent(to, *result, now);
  } else if (const auto* status = std::get_if<wire::Status>(&message)) {
    from == fleet_.broker() ? gauges_.on_broker_status(*status, now)
                            : gauges_.on_sink_status(from, *status, now);
  }
}

std::uint32_t Checker::capacity(NodeId stage) const {
  const FleetPolicy& fleet = options_.fleet;
  switch (fleet_.kind(stage)) {
    case Fleet::Kind::classifier:
      return fleet.classifier_capacity;
    case Fleet::Kind::assembler:
      return fleet.assembler_capacity;
    default:
      return fleet.collage_capacity;
  }
}

void Checker::on_delivered(NodeId from, NodeId to, const wire::Message& message,
                           wire::Instant now) {
  sinks_.on_time(now);
  if (to == fleet_.broker()) {
    overload_.on_arrived(from, message, now);
    sinks_.on_arrived(from, message, now);
    if (const auto* hello = std::get_if<wire::WorkerHello>(&message)) links_.on_heard(from, *hello);
    if (const auto* ready = std::get_if<wire::Ready>(&message)) links_.on_heard(from, *ready);
  } else if (is_sink(to)) {
    sinks_.on_arrived_at_sink(to, message, now);
  }
  // Tasks go to nodes of the fleet alone; other messages may go to strangers.
  const bool task = std::holds_alternative<wire::Assign>(message) ||
                    std::holds_alternative<wire::CollageTask>(message);
  if (task && fleet_.kind(to) != Fleet::Kind::assembler) expiry_.on_arrived(to, message, now);
  if (std::holds_alternative<wire::Submit>(message)) {
    gauges_.on_submit_arrived();
  } else if (const auto* opened = std::get_if<wire::BatchOpened>(&message)) {
    links_.on_opened(to, *opened);
  } else if (const auto* result = std::get_if<wire::Result>(&message)) {
    requests_.on_result_arrived(to, *result, now);
  } else if (const auto* correction = std::get_if<wire::Correction>(&message)) {
    requests_.on_correction_arrived(to, *correction, now);
  }
}

void Checker::on_life(NodeId node, bool alive, wire::Instant now) {
  log_.line(world_.name(node) + (alive ? " starts" : " crashes"), now);
  if (is_sink(node)) {
    links_.on_sink_life(node);
    gauges_.on_sink_life(node);
  }
  if (node == fleet_.broker()) {
    requests_.on_broker_life();
    gauges_.on_broker_life();
    overload_.on_broker_life();
    links_.on_broker_life();
  }
  overload_.on_life(node);
  expiry_.on_life(node);
  if (!alive) {
    requests_.on_producer_crashed(node);
    links_.on_stage_crashed(node);
  }
}

bool Checker::is_sink(NodeId node) const {
  return std::ranges::find(fleet_.sinks(), node) != fleet_.sinks().end();
}

void Checker::finish(wire::Instant now) {
  sinks_.on_time(now);
  requests_.finish(now);
  gauges_.finish(now);
}

}  // namespace replay::sim
