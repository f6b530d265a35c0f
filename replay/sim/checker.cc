#include "replay/sim/checker.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace replay::sim {
namespace {

constexpr std::size_t kViolationsMax = 8;

std::map<std::string, std::uint64_t> gauges_of(const wire::Status& status) {
  std::map<std::string, std::uint64_t> gauges;
  for (const wire::Counter& counter : status.counters) gauges[counter.name] = counter.value;
  return gauges;
}

std::uint64_t read(const std::map<std::string, std::uint64_t>& gauges, const std::string& name) {
  const auto found = gauges.find(name);
  return found == gauges.end() ? 0 : found->second;
}

// Predictions as the broker names them, but for the names.
std::vector<wire::NamedPrediction> named(const wire::Predictions& predictions) {
  std::vector<wire::NamedPrediction> out;
  for (const wire::Prediction& prediction : predictions) out.push_back({{}, prediction});
  return out;
}

}  // namespace

Checker::Checker(const TrialOptions& options, const World& world, const Fleet& fleet, EventLog& log)
    : options_(options), world_(world), fleet_(fleet), log_(log) {}

void Checker::violation(const std::string& what, wire::Instant now) {
  log_.line("VIOLATION " + what, now);
  log_.freeze();
  if (violations_.size() < kViolationsMax) violations_.push_back(what);
}

// --- what producers ask and get ---

void Checker::on_submit(NodeId producer, wire::RequestId request, const Asked& asked) {
  counts_.asked += 1;
  Open& open = requests_[{producer, request}] = Open{asked};
  if (!asked.stream) return;
  std::deque<wire::RequestId>& order = streams_[{producer, *asked.stream}];
  if (!order.empty()) {
    open.deadline = std::max(open.deadline, requests_.at({producer, order.back()}).deadline);
  }
  order.push_back(request);
}

bool Checker::on_cancel(NodeId producer, wire::RequestId request, std::uint64_t token) {
  const auto found = requests_.find({producer, request});
  if (found == requests_.end() || found->second.token != token) return false;
  found->second.cancelled = true;
  return true;
}

void Checker::on_results(NodeId producer, const std::vector<producer::Delivered>& results,
                         wire::Instant now) {
  for (const producer::Delivered& each : results) check_delivered(producer, each, now);
}

void Checker::check_delivered(NodeId producer, const producer::Delivered& delivered,
                              wire::Instant now) {
  const wire::Result& result = delivered.result;
  const std::string name =
      world_.name(producer) + "'s request " + std::to_string(result.request.value);
  const auto found = requests_.find({producer, result.request});
  if (found == requests_.end()) return violation(name + " was never made", now);
  Open& open = found->second;
  if (open.delivered) return violation(name + " is delivered twice", now);
  open.delivered = true;
  counts_.delivered += 1;
  if (now > open.deadline + options_.fleet.producer.grace) {
    violation(name + " is delivered after its deadline", now);
  }
  if (open.stream) check_order(producer, open, result.request, name, now);
  switch (result.status) {
    case wire::ResultStatus::answered:
      return check_source(open, result, name, now);
    case wire::ResultStatus::missing:
      counts_.missing += 1;
      break;
    case wire::ResultStatus::rejected:
      counts_.rejected += 1;
      if (open.usable) violation(name + " is rejected though its image is good", now);
      return;
    case wire::ResultStatus::refused:
      counts_.refused += 1;
      break;
    case wire::ResultStatus::cancelled:
      counts_.cancelled += 1;
      if (!open.cancelled) violation(name + " is cancelled though nobody asked for that", now);
      return;
  }
  if (open.calm) violation(name + " is not answered though all is calm", now);
}

void Checker::check_order(NodeId producer, const Open& open, wire::RequestId request,
                          const std::string& name, wire::Instant now) {
  std::deque<wire::RequestId>& order = streams_[{producer, *open.stream}];
  if (order.empty() || order.front() != request) {
    violation(name + " is delivered out of its order", now);
  }
  std::erase(order, request);
}

void Checker::on_corrections(NodeId producer, const std::vector<producer::Correction>& corrections,
                             wire::Instant now) {
  for (const producer::Correction& each : corrections) {
    const wire::Correction& correction = each.correction;
    const std::string name =
        world_.name(producer) + "'s request " + std::to_string(correction.request.value);
    counts_.corrected += 1;
    const auto found = requests_.find({producer, correction.request});
    if (found == requests_.end() || !found->second.collage) {
      violation(name + " is corrected without an answer by a collage, or again", now);
    } else if (*found->second.collage == correction.predictions.at(0).prediction.label) {
      violation(name + " is corrected to what it was", now);
    }
    if (found != requests_.end()) found->second.collage.reset();
  }
}

// An answer is its own image's, but for what a collage misreads.
bool Checker::reads(const std::vector<wire::NamedPrediction>& predictions, wire::Source source,
                    std::uint64_t token) const {
  const bool may_misread = source == wire::Source::collage && options_.runner.misread > 0;
  return spells(predictions, token, options_.runner.digits) ||
         (may_misread && misspells(predictions, token, options_.runner.digits));
}

void Checker::check_source(Open& open, const wire::Result& result, const std::string& name,
                           wire::Instant now) {
  if (!open.usable) violation(name + " is answered though nothing can decode it", now);
  if (!reads(result.predictions, result.source, open.token)) {
    violation(name + " got the answer of another image", now);
  }
  const broker::Redundancy& redundancy = options_.fleet.broker.redundancy;
  switch (result.source) {
    case wire::Source::single:
      counts_.single += 1;
      break;
    case wire::Source::collage:
      counts_.collage += 1;
      open.collage = result.predictions.at(0).prediction.label;
      if (redundancy.covers == 0) violation(name + " is answered by a collage nobody ordered", now);
      break;
    case wire::Source::hedge:
      counts_.hedge += 1;
      if (redundancy.hedge == broker::Redundancy::Hedge::never) {
        violation(name + " is answered by a hedge nobody ordered", now);
      }
      break;
    case wire::Source::none:
      violation(name + " is answered by nobody", now);
  }
}

// --- what is said on the links ---

void Checker::on_sent(NodeId from, NodeId to, const wire::Message& message, wire::Instant now) {
  log_.message(world_.name(from), world_.name(to), message, now);
  if (const auto* assign = std::get_if<wire::Assign>(&message)) {
    check_assign(to, *assign, now);
  } else if (const auto* sealed = std::get_if<wire::BatchSealed>(&message)) {
    std::vector<wire::Instant>& admitted = admitted_[sealed->batch];
    admitted.clear();
    for (const wire::Duration age : sealed->ages) admitted.push_back(now - age);
  } else if (const auto* settled = std::get_if<wire::SlotSettled>(&message)) {
    check_settled(*settled, now);
  } else if (const auto* corrected = std::get_if<wire::Disagreement>(&message)) {
    check_corrected(*corrected, now);
  } else if (const auto* correction = std::get_if<wire::Correction>(&message)) {
    check_correction(to, *correction, now);
  } else if (const auto* ready = std::get_if<wire::Ready>(&message)) {
    check_ready(from, *ready, now);
  } else if (const auto* result = std::get_if<wire::Result>(&message)) {
    said_.results += result->status == wire::ResultStatus::refused ? 0 : 1;
    note_told(to, *result, now);
  } else if (const auto* status = std::get_if<wire::Status>(&message)) {
    const Gauges gauges = gauges_of(*status);
    from == fleet_.broker() ? check_broker(gauges, now) : check_sink(gauges, now);
  }
}

void Checker::on_delivered(NodeId, NodeId to, const wire::Message& message, wire::Instant now) {
  if (const auto* result = std::get_if<wire::Result>(&message)) check_result(to, *result, now);
  if (std::holds_alternative<wire::Submit>(message)) said_.submits += 1;
  const auto* correction = std::get_if<wire::Correction>(&message);
  if (!correction) return;
  const auto found = requests_.find({to, correction->request});
  if (found == requests_.end() ||
      !spells(correction->predictions, found->second.token, options_.runner.digits)) {
    violation(world_.name(to) + " gets a correction of another image", now);
  }
}

void Checker::on_life(NodeId node, bool alive, wire::Instant now) {
  log_.line(world_.name(node) + (alive ? " starts" : " crashes"), now);
  if (node == fleet_.sink()) {
    settled_.clear();
    sink_gauges_.reset();
  }
  if (node == fleet_.broker()) {
    said_ = {};
    told_.clear();
    broker_gauges_.reset();
  }
  if (alive) return;
  std::erase_if(streams_, [&](const auto& entry) { return entry.first.first == node; });
  std::erase_if(told_, [&](const auto& entry) { return entry.first.first == node; });
  std::erase_if(requests_, [&](const auto& entry) {
    if (entry.first.first != node) return false;
    counts_.lost_with_producer += entry.second.delivered ? 0 : 1;
    return true;
  });
}

void Checker::check_assign(NodeId to, const wire::Assign& assign, wire::Instant now) {
  std::uint64_t token = 0;
  const auto bytes = assign.image.bytes();
  for (std::size_t i = sizeof token; i > 0; --i) token = token << 8 | bytes[i - 1];
  const auto [place, fresh] = tokens_.try_emplace({assign.batch, assign.slot}, token);
  if (!fresh && place->second != token) violation("one slot is given two images", now);
  if (fleet_.kind(to) == Fleet::Kind::classifier) said_.assigns += 1;
}

// Even a result that the client drops has to be its own: it could have been the first.
void Checker::check_result(NodeId to, const wire::Result& result, wire::Instant now) {
  const auto found = requests_.find({to, result.request});
  const std::string name =
      "a result for request " + std::to_string(result.request.value) + " of " + world_.name(to);
  if (found == requests_.end()) return violation(name + " that it never made", now);
  if (result.status == wire::ResultStatus::answered &&
      !reads(result.predictions, result.source, found->second.token)) {
    violation(name + " is of another image", now);
  }
}

// What is sent to a connection that has ended may be meant for the life before: it names another
// image than the present one's, and does not arrive.
void Checker::note_told(NodeId to, const wire::Result& result, wire::Instant now) {
  const auto found = requests_.find({to, result.request});
  if (found == requests_.end() || result.source != wire::Source::collage) return;
  if (!reads(result.predictions, result.source, found->second.token)) return;
  told_[{to, result.request}] = {result.predictions.front().prediction.label, now};
}

void Checker::check_correction(NodeId to, const wire::Correction& correction, wire::Instant now) {
  const auto found = requests_.find({to, correction.request});
  if (found == requests_.end() ||
      !spells(correction.predictions, found->second.token, options_.runner.digits)) {
    return;  // As above; judged if it arrives.
  }
  const std::string name = "the correction of request " + std::to_string(correction.request.value) +
                           " of " + world_.name(to);
  if (!fleet_.corrects(to)) violation(name + " is sent though it did not ask", now);
  const auto told = told_.find({to, correction.request});
  if (told == told_.end()) return violation(name + " follows no answer by a collage", now);
  if (told->second.label == correction.predictions.front().prediction.label) {
    violation(name + " says what was said", now);
  }
  if (now - told->second.at >= options_.fleet.broker.correction_window) {
    violation(name + " comes after the window", now);
  }
  told_.erase(told);
}

void Checker::check_corrected(const wire::Disagreement& corrected, wire::Instant now) {
  const std::string name = "batch " + std::to_string(corrected.batch.sequence.value) + " slot " +
                           std::to_string(corrected.slot);
  const auto settled = settled_.find({corrected.batch, corrected.slot});
  if (settled == settled_.end() || !settled->second) {
    return violation("the sink corrects " + name + ", which no collage settled, or again", now);
  }
  if (*settled->second == corrected.predictions.front().label) {
    violation("the sink corrects " + name + " to what it was", now);
  }
  settled->second.reset();
}

void Checker::check_settled(const wire::SlotSettled& settled, wire::Instant now) {
  const std::string name = "batch " + std::to_string(settled.batch.sequence.value) + " slot " +
                           std::to_string(settled.slot);
  const bool collage =
      settled.source == wire::Source::collage && settled.verdict.reason == wire::Reason::none;
  const auto label =
      collage ? std::optional(settled.verdict.predictions.front().label) : std::nullopt;
  if (!settled_.try_emplace({settled.batch, settled.slot}, label).second) {
    violation("the sink settles " + name + " twice", now);
  }
  const auto token = tokens_.find({settled.batch, settled.slot});
  if (token == tokens_.end()) return violation("the sink settles " + name + ", a blank slot", now);
  if (settled.verdict.reason == wire::Reason::none &&
      !reads(named(settled.verdict.predictions), settled.source, token->second)) {
    violation("the sink settles " + name + " with the answer of another image", now);
  }
  if (settled.source == wire::Source::collage) check_collage(settled, now);
}

void Checker::check_collage(const wire::SlotSettled& settled, wire::Instant now) {
  const std::string name = "the collage answer of batch " +
                           std::to_string(settled.batch.sequence.value) + " slot " +
                           std::to_string(settled.slot);
  const auto sealed = admitted_.find(settled.batch);
  if (sealed == admitted_.end()) return violation(name + " comes before the seal", now);
  if (settled.slot >= sealed->second.size()) return violation(name + " is for a blank slot", now);
  const auto& sink = options_.fleet.sink;
  const wire::Duration patience = sink.collage_first        ? wire::Duration::zero()
                                  : options_.fixed_patience ? sink.patience.initial
                                                            : sink.patience.min;
  if (now < sealed->second[settled.slot] + patience) violation(name + " is early", now);
  if (settled.verdict.predictions.empty() ||
      settled.verdict.predictions.front().probability < sink.joiner.gate) {
    violation(name + " is below the gate", now);
  }
}

void Checker::check_ready(NodeId from, const wire::Ready& ready, wire::Instant now) {
  const FleetPolicy& fleet = options_.fleet;
  const std::uint32_t capacity =
      fleet_.kind(from) == Fleet::Kind::classifier  ? fleet.classifier_capacity
      : fleet_.kind(from) == Fleet::Kind::assembler ? fleet.assembler_capacity
                                                    : fleet.collage_capacity;
  if (fleet_.kind(from) != Fleet::Kind::sink && ready.held.size() > 2 * capacity) {
    violation(world_.name(from) + " holds " + std::to_string(ready.held.size()) +
                  " tasks with a capacity of " + std::to_string(capacity),
              now);
  }
}

// --- gauges ---

void Checker::at_most(const Gauges& gauges, const std::string& name, std::uint64_t most,
                      wire::Instant now) {
  if (read(gauges, name) <= most) return;
  violation(
      name + " is " + std::to_string(read(gauges, name)) + ", more than " + std::to_string(most),
      now);
}

void Checker::check_broker(const Gauges& gauges, wire::Instant now) {
  broker_gauges_ = gauges;
  const broker::Policy& policy = options_.fleet.broker;
  const auto copies = static_cast<std::uint64_t>(policy.redundancy.copies);
  at_most(gauges, "requests_open", policy.open_request_max, now);
  at_most(gauges, "image_bytes_open", policy.open_bytes_max, now);
  at_most(gauges, "requests_waiting", policy.open_request_max * copies, now);
  at_most(gauges, "producers", policy.producer_max, now);
  at_most(gauges, "batches_open", policy.open_request_max + 1, now);
  at_most(gauges, "correctable", policy.correction_max, now);
  const std::uint64_t admitted = read(gauges, "requests_admitted");
  const std::uint64_t settled = read(gauges, "answered_single") + read(gauges, "answered_collage") +
                                read(gauges, "answered_hedge") + read(gauges, "missing") +
                                read(gauges, "rejected") + read(gauges, "cancelled");
  if (admitted != settled + read(gauges, "requests_open")) {
    violation("the broker admitted " + std::to_string(admitted) + " requests, settled " +
                  std::to_string(settled) + " and has " +
                  std::to_string(read(gauges, "requests_open")) + " open",
              now);
  }
  at_most(gauges, "requests_admitted", said_.submits, now);
  if (said_.results > settled) violation("the broker sends more results than it settles", now);
  const std::uint64_t hedges = read(gauges, "hedges");
  at_most(gauges, "tasks_dispatched",
          admitted * copies + hedges + read(gauges, "tasks_redispatched") + read(gauges, "probes"),
          now);
  if (read(gauges, "tasks_dispatched") != said_.assigns) {
    violation("the broker counts other tasks than it sends", now);
  }
  at_most(
      gauges, "hedges",
      static_cast<std::uint64_t>(std::ceil(policy.hedge_rate_max * static_cast<double>(admitted))),
      now);
}

void Checker::check_sink(const Gauges& gauges, wire::Instant now) {
  sink_gauges_ = gauges;
  at_most(gauges, "batches_open", options_.fleet.sink.joiner.open_batch_max, now);
  at_most(gauges, "orphans", options_.fleet.sink.joiner.orphan_max, now);
}

void Checker::finish(wire::Instant now) {
  for (const auto& [request, open] : requests_) {
    if (open.delivered) continue;
    violation(world_.name(request.first) + "'s request " + std::to_string(request.second.value) +
                  " has no result at the end",
              now);
  }
  if (!broker_gauges_ || !sink_gauges_) {
    return violation("broker or sink tells no status at the end", now);
  }
  for (const char* name : {"requests_open", "requests_waiting", "image_bytes_open", "batches_open",
                           "tasks_outstanding", "collages_outstanding", "correctable"}) {
    at_most(*broker_gauges_, name, 0, now);
  }
  at_most(*sink_gauges_, "batches_open", 0, now);
  for (const char* name : {"workers_lost", "workers_refused", "bad_messages"}) {
    if (calm_gauges_) at_most(*broker_gauges_, name, read(*calm_gauges_, name), now);
  }
}

}  // namespace replay::sim
