#include "replay/sim/request_oracle.h"

#include <algorithm>
#include <utility>

namespace replay::sim {

RequestOracle::RequestOracle(const TrialOptions& options, const World& world,
                             Violations& violations)
    : options_(options), world_(world), violations_(violations) {}

std::string RequestOracle::name(NodeId producer, wire::RequestId request) const {
  return world_.name(producer) + "'s request " + std::to_string(request.value);
}

bool RequestOracle::reads(const wire::Result& result, std::uint64_t token) const {
  return may_answer(options_.executor, result.predictions, result.source, token);
}

// Corrections come from s-CNNs, which misread nothing.
bool RequestOracle::spells(const wire::Correction& correction, std::uint64_t token) const {
  return sim::spells(correction.predictions, token, options_.executor.digits);
}

// --- at the producer ---

void RequestOracle::on_submit(NodeId producer, wire::RequestId id, const Asked& asked) {
  counts_.asked += 1;
  Request& request = requests_[{producer, id}] = Request{asked};
  if (asked.latest != 0) {
    const auto [newest, first] = newest_.try_emplace({producer, asked.latest}, id);
    if (!first) requests_.at({producer, std::exchange(newest->second, id)}).older = true;
  }
  if (!asked.stream) return;
  std::deque<wire::RequestId>& order = streams_[{producer, *asked.stream}];
  if (!order.empty()) {
    request.deadline = std::max(request.deadline, requests_.at({producer, order.back()}).deadline);
  }
  order.push_back(id);
}

bool RequestOracle::on_cancel(NodeId producer, wire::RequestId id, std::uint64_t token) {
  const auto found = requests_.find({producer, id});
  // A restarted producer counts its requests from 1 again, but never sends the same token twice.
  if (found == requests_.end() || found->second.token != token) return false;
  found->second.cancelled = true;
  return true;
}

void RequestOracle::on_result(NodeId producer, const producer::Delivered& delivered,
                              wire::Instant now) {
  const wire::Result& result = delivered.result;
  const std::string what = name(producer, result.request);
  const auto found = requests_.find({producer, result.request});
  if (found == requests_.end()) return violations_.add(what + " was never made", now);
  Request& request = found->second;
  if (request.delivered) return violations_.add(what + " is delivered twice", now);
  request.delivered = true;
  counts_.delivered += 1;
  if (now > request.deadline + options_.fleet.producer.grace) {
    violations_.add(what + " is delivered after its deadline", now);
  }
  if (request.stream) check_order(producer, request, result.request, what, now);
  if (result.status == wire::ResultStatus::answered) {
    check_source(request, result, what, now);
  } else {
    check_unanswered(request, result.status, what, now);
  }
}

void RequestOracle::check_order(NodeId producer, const Request& request, wire::RequestId id,
                                const std::string& what, wire::Instant now) {
  std::deque<wire::RequestId>& order = streams_[{producer, *request.stream}];
  if (order.empty() || order.front() != id) {
    violations_.add(what + " is delivered out of its order", now);
  }
  std::erase(order, id);
}

void RequestOracle::check_unanswered(const Request& request, wire::ResultStatus status,
                                     const std::string& what, wire::Instant now) {
  switch (status) {
    case wire::ResultStatus::answered:
      return;
    case wire::ResultStatus::rejected:
      counts_.rejected += 1;
      if (request.usable) violations_.add(what + " is rejected though its image is good", now);
      return;
    case wire::ResultStatus::cancelled:
      counts_.cancelled += 1;
      if (!request.cancelled) {
        violations_.add(what + " is cancelled though its producer did not cancel it", now);
      }
      return;
    case wire::ResultStatus::superseded:
      counts_.superseded += 1;
      if (!request.older) {
        violations_.add(what + " is superseded though there is no newer frame", now);
      }
      return;
    case wire::ResultStatus::missing:
      counts_.missing += 1;
      break;
    case wire::ResultStatus::refused:
      counts_.refused += 1;
      break;
  }
  if (request.calm) violations_.add(what + " is not answered though all is calm", now);
}

void RequestOracle::check_source(Request& request, const wire::Result& result,
                                 const std::string& what, wire::Instant now) {
  if (!request.usable) violations_.add(what + " is answered though nothing can decode it", now);
  if (!reads(result, request.token)) {
    violations_.add(what + " got the answer of another image", now);
  }
  const broker::Redundancy& redundancy = options_.fleet.broker.redundancy;
  switch (result.source) {
    case wire::Source::single:
      counts_.single += 1;
      break;
    case wire::Source::collage:
      counts_.collage += 1;
      counts_.brownout += result.brownout ? 1 : 0;
      request.collage = result.predictions.at(0).prediction.label;
      if (redundancy.collages_per_batch == 0) {
        violations_.add(what + " is answered by a collage that the policy does not make", now);
      }
      break;
    case wire::Source::hedge:
      counts_.hedge += 1;
      if (redundancy.hedge == broker::Redundancy::Hedge::never) {
        violations_.add(what + " is answered by a hedge that the policy does not make", now);
      }
      break;
    case wire::Source::none:
      violations_.add(what + " has an answer without a source", now);
  }
}

void RequestOracle::on_correction(NodeId producer, const producer::Correction& delivered,
                                  wire::Instant now) {
  const wire::Correction& correction = delivered.correction;
  const std::string what = name(producer, correction.request);
  counts_.corrected += 1;
  const auto found = requests_.find({producer, correction.request});
  if (found == requests_.end() || !found->second.collage) {
    violations_.add(what + " is corrected without an answer by a collage, or again", now);
  } else if (*found->second.collage == correction.predictions.at(0).prediction.label) {
    violations_.add(what + " is corrected to what it was", now);
  }
  if (found != requests_.end()) found->second.collage.reset();
}

// --- on the link between broker and producer ---

// A result sent on a connection that has ended may belong to the producer's life before, and then
// names another image than the present request of that number.  It does not arrive, so it counts
// for nothing here.
void RequestOracle::on_result_sent(NodeId to, const wire::Result& result, wire::Instant now) {
  const auto found = requests_.find({to, result.request});
  if (found == requests_.end() || result.source != wire::Source::collage) return;
  if (!reads(result, found->second.token)) return;
  found->second.sent = CollageAnswer{result.predictions.front().prediction.label, now};
}

// Checks even a result that the client will drop: it could have been the first.
void RequestOracle::on_result_arrived(NodeId to, const wire::Result& result, wire::Instant now) {
  const std::string what =
      "a result for request " + std::to_string(result.request.value) + " of " + world_.name(to);
  const auto found = requests_.find({to, result.request});
  if (found == requests_.end()) return violations_.add(what + " that it never made", now);
  if (result.status == wire::ResultStatus::answered && !reads(result, found->second.token)) {
    violations_.add(what + " is of another image", now);
  }
}

void RequestOracle::on_correction_sent(NodeId to, const wire::Correction& correction, bool asked,
                                       wire::Instant now) {
  const auto found = requests_.find({to, correction.request});
  if (found == requests_.end() || !spells(correction, found->second.token)) {
    return;  // As in on_result_sent; on_correction_arrived judges it if it arrives.
  }
  const std::string what = "the correction of request " + std::to_string(correction.request.value) +
                           " of " + world_.name(to);
  if (!asked) violations_.add(what + " is sent though it did not ask", now);
  std::optional<CollageAnswer>& sent = found->second.sent;
  if (!sent) return violations_.add(what + " follows no answer by a collage", now);
  if (sent->label == correction.predictions.front().prediction.label) {
    violations_.add(what + " repeats the answer", now);
  }
  if (now - sent->at >= options_.fleet.broker.correction_window) {
    violations_.add(what + " comes after the window", now);
  }
  sent.reset();
}

void RequestOracle::on_correction_arrived(NodeId to, const wire::Correction& correction,
                                          wire::Instant now) {
  const auto found = requests_.find({to, correction.request});
  if (found == requests_.end() || !spells(correction, found->second.token)) {
    violations_.add(world_.name(to) + " gets a correction of another image", now);
  }
}

// --- lives ---

void RequestOracle::on_producer_crashed(NodeId producer) {
  std::erase_if(streams_, [&](const auto& entry) { return entry.first.first == producer; });
  std::erase_if(newest_, [&](const auto& entry) { return entry.first.first == producer; });
  std::erase_if(requests_, [&](const auto& entry) {
    if (entry.first.first != producer) return false;
    counts_.lost_with_producer += entry.second.delivered ? 0 : 1;
    return true;
  });
}

void RequestOracle::on_broker_life() {
  for (auto& [key, request] : requests_) request.sent.reset();
}

void RequestOracle::finish(wire::Instant now) {
  for (const auto& [key, request] : requests_) {
    if (request.delivered) continue;
    violations_.add(name(key.first, key.second) + " has no result at the end", now);
  }
}

}  // namespace replay::sim
