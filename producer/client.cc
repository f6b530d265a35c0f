#include "producer/client.h"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/check.h"

namespace producer {

using machine::Actions;
using wire::Duration;
using wire::Instant;
using wire::Reason;
using wire::RequestId;
using wire::ResultStatus;

namespace {

constexpr int kUsualMax = 3;             // In units of resubmit_after.
constexpr std::uint32_t kWordsMax = 10;  // Bounds the time until a request is sent again.

// Reasons that may not apply any more when the request is sent again later.
bool is_temporary(Reason reason) {
  return reason == Reason::full || reason == Reason::no_credit || reason == Reason::draining ||
         reason == Reason::overloaded;
}

wire::Result own_result(RequestId id, ResultStatus status, Reason reason = Reason::none) {
  return {.request = id, .status = status, .reason = reason, .predictions = {}, .version = {}};
}

}  // namespace

Client::Client(Policy policy)
    : policy_(policy),
      rng_(policy.producer.high ^ policy.producer.low),
      correctable_(policy.correction_max),
      links_(policy.brokers, BrokerLink(policy)) {
  COLLAGE_CHECK(policy_.deadline > Duration{} && policy_.open_max > 0);
  COLLAGE_CHECK(Duration{} < policy_.hello_min && policy_.hello_min <= policy_.hello_max);
  COLLAGE_CHECK(policy_.brokers > 0 && policy_.failover_after > Duration{});
}

// --- the owner's side ---

Client::Submitted Client::submit(RequestId id, wire::Payload image, const SubmitOptions& options,
                                 Instant now) {
  COLLAGE_CHECK(last_ < id);
  latest_ = std::max(latest_, now);
  if (draining_) return Submitted::draining;
  // One image is always accepted, however large; otherwise an image above open_bytes_max would be
  // `full` for ever, and not refused with a reason.
  if (open() + results_.size() >= policy_.open_max ||
      (requests_.size() > 0 && requests_.bytes() + image.size() > policy_.open_bytes_max)) {
    ++counters_.full;
    return Submitted::full;
  }
  Duration within = options.deadline > Duration{} ? options.deadline : policy_.deadline;
  within = std::min(within, wire::kDurationMax);  // A Submit cannot carry more.
  if (welcome_.deadline_max > Duration{}) within = std::min(within, welcome_.deadline_max);
  Request request{.image = std::move(image),
                  .submitted = now,
                  .deadline = now + within,
                  .expires = now + within,
                  .sent = {},
                  .stream = options.stream,
                  .priority = options.priority,
                  .latest = options.latest};
  requests_.add(id, std::move(request));
  if (options.stream) streams_.add(*options.stream, id);
  if (options.latest != 0) {
    frames_[options.latest].insert(id);
    renewed_.insert(options.latest);
  }
  last_ = id;
  ++counters_.submitted;
  return Submitted::queued;
}

bool Client::cancel(RequestId id, Instant now) {
  const Request* request = requests_.find(id);
  if (request == nullptr) return false;
  latest_ = std::max(latest_, now);
  cancels_.try_emplace(id);
  // Sent again it would be queued, and then be cancelled here although the broker may have it.
  if (request->state == Request::State::in_flight) requests_.set_wake(id, std::nullopt);
  return true;
}

std::vector<Delivered> Client::take_results() { return std::exchange(results_, {}); }

std::vector<Correction> Client::take_corrections() { return std::exchange(corrections_, {}); }

std::size_t Client::window() const {
  const std::size_t taken = open() + results_.size();
  if (draining_ || requests_.size() >= credit() || taken >= policy_.open_max) return 0;
  return std::min(credit() - requests_.size(), policy_.open_max - taken);
}

// --- the driver's side ---

Actions Client::on_message(machine::Peer from, wire::Message message, Instant now) {
  begin(now);
  Actions actions;
  if (std::holds_alternative<wire::Drain>(message)) {
    draining_ = true;
  } else if (from.link >= links_.size()) {
    ++counters_.unexpected;
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    on_undelivered(from.link, now);
  } else {
    on_broker(from.link, std::move(message), now, actions);
  }
  actions.append(turn(now));
  return actions;
}

void Client::on_broker(Index from, wire::Message message, Instant now, Actions& actions) {
  links_[from].on_heard(now);
  if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    on_welcome(from, *welcome, now, actions);
  } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
    ++counters_.refusals;
    on_refusal(from, refuse->reason, now, actions);
  } else if (auto* result = std::get_if<wire::Result>(&message)) {
    on_result(from, std::move(*result), now, actions);
  } else if (auto* correction = std::get_if<wire::Correction>(&message)) {
    on_correction(std::move(*correction), now);
  } else if (std::holds_alternative<wire::Undecodable>(message)) {
    ++counters_.undecodable;
  } else {
    ++counters_.unexpected;
  }
}

Actions Client::on_timeout(Instant now) {
  begin(now);
  return turn(now);
}

Actions Client::on_done(wire::WorkId, machine::Outcome, Instant now) { return on_timeout(now); }

std::optional<Instant> Client::next_timeout() const {
  Instant next = next_hello();
  if (const auto due = next_choice()) next = std::min(next, *due);
  if (const auto due = requests_.next_timeout()) next = std::min(next, *due);
  if (const auto due = correctable_.next_timeout()) next = std::min(next, *due);
  if (const auto due = next_cancel()) next = std::min(next, *due);
  // Something can be sent: at once, but not while the link takes no messages.
  if (!renewed_.empty() || (requests_.next() && requests_.in_flight(current_) < credit())) {
    next = std::min(next, std::max(latest_, links_[current_].send_after));
  }
  return next;
}

void Client::begin(Instant now) {
  if (turn_ < now) turn_before_ = std::exchange(turn_, now);
  latest_ = std::max(latest_, now);
}

Actions Client::turn(Instant now) {
  Actions actions;
  supersede(now);
  expire(now);
  correctable_.expire(now);
  wake(now);
  fail_over(now, actions);
  send_hellos(now, actions);
  withdraw(actions);
  send_cancels(now, actions);
  send_queued(now, actions);
  actions.finished = draining_ && requests_.size() == 0;
  return actions;
}

// --- requests ---

void Client::send_queued(Instant now, Actions& actions) {
  while (now >= links_[current_].send_after && requests_.in_flight(current_) < credit()) {
    const auto id = requests_.next();
    if (!id) return;
    const Request& request = *requests_.find(*id);
    if (request.image.size() > welcome_.image_bytes_max) {
      ++counters_.too_large;
      deliver(own_result(*id, ResultStatus::refused, Reason::image_too_large), true, now);
    } else if (request.deadline <= now) {
      // Not sent any more, but not given up yet: an answer to an earlier copy may still arrive.
      requests_.spend(*id);
    } else {
      send(*id, request, now, actions);
    }
  }
}

void Client::send(RequestId id, const Request& request, Instant now, Actions& actions) {
  ++counters_.sent;
  if (request.refusal != Reason::none) {
    ++counters_.retried;
  } else if (request.sends > 0) {
    ++counters_.resubmitted;
  }
  actions.send({.link = current_}, wire::Submit{.request = id,
                                                .remaining = request.deadline - now,
                                                .image = request.image,
                                                .priority = request.priority,
                                                .latest = request.latest});
  links_[current_].answer_left(id);  // It is this broker's again.
  const bool may_have = request.sends > 0 && request.refusal == Reason::none;
  if (may_have && request.broker != current_) {
    links_[request.broker].leave_request(id, request.expires);
  }
  requests_.sent(id, now, request.deadline + policy_.grace, resubmit_at(request.words, now),
                 current_);
}

// When a request is sent again if no other word comes.  A word that the broker has it puts this
// off, but not for good: the answer may be lost as well.
std::optional<Instant> Client::resubmit_at(std::uint32_t words, Instant now) const {
  if (policy_.resubmit_after <= Duration{}) return std::nullopt;
  return now + policy_.resubmit_after * (std::int64_t{1} << std::min(words, kWordsMax));
}

// Under overload a word takes long although nothing is lost.  So a request that is in flight is
// sent again only if it waits for twice as long as others did; within a bound, for the deadline
// runs.
void Client::wake(Instant now) {
  while (const auto id = requests_.due(now)) {
    const Request& request = *requests_.find(*id);
    const Instant at = request.sent + std::min(2 * links_[request.broker].usual(),
                                               kUsualMax * policy_.resubmit_after);
    if (request.state == Request::State::in_flight && now < at) {
      requests_.set_wake(*id, at);
    } else {
      requests_.queue(*id);
    }
  }
}

void Client::on_result(Index from, wire::Result result, Instant now, Actions& actions) {
  links_[from].on_result();
  const bool left = links_[from].answer_left(result.request);
  const Request* request = requests_.find(result.request);
  if (request != nullptr && request->broker == from && result.status == ResultStatus::answered) {
    links_[from].on_taken(now - request->sent);
  }
  if (request == nullptr) {
    ++(result.request <= last_ ? counters_.duplicate_results : counters_.unknown_results);
  } else if (result.status == ResultStatus::refused) {
    on_refused(from, std::move(result), now, actions);
  } else if (left && result.status != ResultStatus::answered &&
             result.status != ResultStatus::rejected) {
    ++counters_.left_results;
  } else {
    deliver(std::move(result), false, now);
  }
}

void Client::on_refused(Index from, wire::Result result, Instant now, Actions& actions) {
  const RequestId id = result.request;
  const Request& request = *requests_.find(id);
  const bool in_flight = request.state == Request::State::in_flight && request.broker == from;
  if (result.reason == Reason::duplicate_request) {
    ++counters_.open_already;
    if (in_flight && !cancels_.contains(id))
      requests_.known(id, resubmit_at(request.words + 1, now));
    return;
  }
  // The broker does not know us, as after its restart: the request is sent again after a hello.
  if (result.reason == Reason::unknown_producer) {
    on_refusal(from, result.reason, now, actions);
    if (in_flight) requests_.queue(id);
    return;
  }
  if (request.broker != from) {
    ++counters_.left_results;
    return;
  }
  if (result.reason == Reason::draining && links_.size() > 1) {
    links_[from].on_draining();
    if (in_flight) requests_.queue(id);
    return;
  }
  // The request has been queued again since this refusal was sent: the newer copy will be answered.
  if (!in_flight && is_temporary(result.reason)) return;
  if (is_temporary(result.reason) && result.reason != Reason::draining) ++counters_.refused_for_now;
  if (is_temporary(result.reason) && has_newer(id, request.latest)) {
    return deliver(own_result(id, ResultStatus::superseded), true, now);
  }
  const Instant again = now + std::max(result.retry_after, policy_.retry_min);
  const bool retries =
      policy_.retry_refused || (policy_.retry_draining && result.reason == Reason::draining);
  if (retries && is_temporary(result.reason) && again < request.deadline) {
    requests_.refused(id, result.reason, again);
    return;
  }
  deliver(std::move(result), false, now);
}

void Client::expire(Instant now) {
  while (const auto id = requests_.expired(now)) {
    ++counters_.expired;
    deliver(own_answer(*id), true, now);
  }
}

// Returns the client's own result for a request whose time is over.
wire::Result Client::own_answer(RequestId id) const {
  if (cancels_.contains(id)) return own_result(id, ResultStatus::cancelled);
  const Request& request = *requests_.find(id);
  if (request.refusal != Reason::none) {
    return own_result(id, ResultStatus::refused, request.refusal);
  }
  // A broker that has the request would have answered it by now.
  const bool unsent = joined() && request.sends == 0;
  return own_result(id, ResultStatus::missing, unsent ? Reason::no_credit : Reason::no_broker);
}

// Returns true if `latest` is a stream that has a newer open request.
bool Client::has_newer(RequestId id, std::uint64_t latest) const {
  const auto frames = frames_.find(latest);
  return frames != frames_.end() && id < *frames->second.rbegin();
}

// Delivers the superseded requests that the broker does not have; it answers the others itself.
void Client::supersede(Instant now) {
  std::vector<RequestId> over;
  for (const std::uint64_t latest : std::exchange(renewed_, {})) {
    const auto frames = frames_.find(latest);
    if (frames == frames_.end()) continue;
    for (const RequestId id : frames->second) {
      const Request& request = *requests_.find(id);
      const bool unsent = request.state == Request::State::queued && request.sends == 0;
      const bool refused = request.state == Request::State::asleep;
      if (has_newer(id, latest) && (unsent || refused)) over.push_back(id);
    }
  }
  for (const RequestId id : over) deliver(own_result(id, ResultStatus::superseded), true, now);
}

std::optional<Instant> Client::next_cancel() const {
  std::optional<Instant> next;
  for (const auto& [id, sent_at] : cancels_) {
    const Request& request = *requests_.find(id);
    const BrokerLink& link = links_[request.broker];
    const bool in_flight = request.state == Request::State::in_flight;
    if (in_flight && (sent_at || !link.joined())) continue;
    const Instant at = std::max(latest_, link.send_after);
    next = next ? std::min(*next, at) : at;
  }
  return next;
}

// A request that the broker has is answered by the broker, so that the client never counts more
// credit than the broker grants.  Any other request is cancelled here; if the broker may have an
// earlier copy, it gets a Cancel all the same.
void Client::send_cancels(Instant now, Actions& actions) {
  std::vector<RequestId> over;
  for (auto& [id, sent_at] : cancels_) {
    const Request& request = *requests_.find(id);
    const bool in_flight = request.state == Request::State::in_flight;
    if (!in_flight) over.push_back(id);
    const BrokerLink& link = links_[request.broker];
    if (sent_at || request.sends == 0 || !link.joined() || now < link.send_after) continue;
    sent_at = now;
    ++counters_.cancels;
    actions.send({.link = request.broker}, wire::Cancel{.request = id});
  }
  for (const RequestId id : over) deliver(own_result(id, ResultStatus::cancelled), true, now);
}

void Client::deliver(wire::Result result, bool local, Instant now) {
  const Request request = requests_.remove(result.request);
  cancels_.erase(result.request);
  for (BrokerLink& link : links_) link.on_end(result.request);
  ++counters_.delivered;
  if (const auto frames = frames_.find(request.latest); frames != frames_.end()) {
    frames->second.erase(result.request);
    if (frames->second.empty()) frames_.erase(frames);
  }
  if (result.status == ResultStatus::cancelled) ++counters_.cancelled;
  if (result.status == ResultStatus::superseded) ++counters_.superseded;
  Streams::Held held{.delivered = {.result = std::move(result), .latency = {}, .local = local},
                     .submitted = request.submitted};
  if (!request.stream) return hand_out(std::move(held), now);
  for (Streams::Held& one : streams_.settle(*request.stream, std::move(held))) {
    hand_out(std::move(one), now);
  }
}

void Client::hand_out(Streams::Held held, Instant now) {
  const wire::Result& result = held.delivered.result;
  const bool collage = result.source == wire::Source::collage && !result.predictions.empty() &&
                       !held.delivered.local;
  if (policy_.corrections && collage && welcome_.correction_window > Duration{}) {
    // The grace covers the way of the message: the window counts at the broker.
    correctable_.add(result.request, result.predictions.front().prediction.label, held.submitted,
                     now + welcome_.correction_window + policy_.grace);
  }
  held.delivered.latency = now - held.submitted;
  results_.push_back(std::move(held.delivered));
  if (held.correction) correct(std::move(*held.correction), now);
}

// --- corrections ---

void Client::on_correction(wire::Correction correction, Instant now) {
  if (Streams::Held* held = streams_.find(correction.request)) {
    held->correction = std::move(correction);
  } else {
    correct(std::move(correction), now);
  }
}

void Client::correct(wire::Correction correction, Instant now) {
  const bool room = corrections_.size() < policy_.correction_max;
  const auto submitted =
      room && !correction.predictions.empty()
          ? correctable_.take(correction.request, correction.predictions.front().prediction.label)
          : std::nullopt;
  if (!submitted) {
    ++counters_.corrections_dropped;
    return;
  }
  ++counters_.corrections;
  corrections_.push_back({.correction = std::move(correction), .latency = now - *submitted});
}

}  // namespace producer
