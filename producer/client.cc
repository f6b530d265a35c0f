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

constexpr machine::Peer kBroker{.link = 0, .id = 0};

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
      correctable_(policy.correction_max) {
  COLLAGE_CHECK(policy_.deadline > Duration{} && policy_.open_max > 0);
  COLLAGE_CHECK(Duration{} < policy_.hello_min && policy_.hello_min <= policy_.hello_max);
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
  if (requests_.find(id) == nullptr) return false;
  latest_ = std::max(latest_, now);
  cancels_.try_emplace(id);
  return true;
}

std::vector<Delivered> Client::take_results() { return std::exchange(results_, {}); }

std::vector<Correction> Client::take_corrections() { return std::exchange(corrections_, {}); }

std::size_t Client::credit() const { return joined_ ? welcome_.credit : 0; }

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
  } else if (from.link != kBroker.link) {
    ++counters_.unexpected;
  } else if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    on_welcome(*welcome, now, actions);
  } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
    ++counters_.refusals;
    on_refusal(refuse->reason, now, actions);
  } else if (auto* result = std::get_if<wire::Result>(&message)) {
    on_result(std::move(*result), now, actions);
  } else if (auto* correction = std::get_if<wire::Correction>(&message)) {
    on_correction(std::move(*correction), now);
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    on_undelivered(now);
  } else if (std::holds_alternative<wire::Undecodable>(message)) {
    ++counters_.undecodable;
  } else {
    ++counters_.unexpected;
  }
  actions.append(turn(now));
  return actions;
}

Actions Client::on_timeout(Instant now) {
  begin(now);
  return turn(now);
}

Actions Client::on_done(wire::WorkId, machine::Outcome, Instant now) { return on_timeout(now); }

std::optional<Instant> Client::next_timeout() const {
  Instant next = hello_due_;
  if (const auto due = requests_.next_timeout()) next = std::min(next, *due);
  if (const auto due = correctable_.next_timeout()) next = std::min(next, *due);
  // Something can be sent: at once, but not while the link takes no messages.
  if (!renewed_.empty() || cancels_due() ||
      (requests_.next() && requests_.in_flight() < credit())) {
    next = std::min(next, std::max(latest_, send_after_));
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
  requests_.wake(now);
  send_hello(now, actions);
  send_cancels(now, actions);
  send_queued(now, actions);
  actions.finished = draining_ && requests_.size() == 0;
  return actions;
}

// --- the conversation ---

void Client::on_welcome(const wire::Welcome& welcome, Instant now, Actions& actions) {
  const bool other_broker = known_ && welcome.epoch != welcome_.epoch;
  const bool was_lost = known_ && !joined_;
  if (other_broker || was_lost) {
    ++counters_.rejoined;
    actions.log(machine::LogMessage::Level::info,
                std::string(other_broker ? "the broker has restarted" : "the broker is back") +
                    ": unanswered images, sent again: " +
                    std::to_string(requests_.size() - cancels_.size()));
    // Also to the same broker after a silence: messages may have been lost with the connection.
    requests_.queue_in_flight();
    for (auto& [id, sent_at] : cancels_) sent_at.reset();
  }
  welcome_ = welcome;
  known_ = true;
  joined_ = true;
  refusal_ = Reason::none;
  hello_unanswered_ = 0;
  // A producer's hello is its heartbeat; the broker answers each with a Welcome.
  hello_due_ = now + std::max(welcome.heartbeat, policy_.hello_min);
}

// The broker does not serve us.  A new hello follows, but never sooner than hello_min after the
// last one: two peers that disagree would otherwise exchange messages without a pause.
void Client::on_refusal(Reason reason, Instant now, Actions& actions) {
  if (refusal_ != reason) {
    actions.log(machine::LogMessage::Level::warning,
                "the broker refuses us: " + std::string(to_string(reason)));
  }
  refusal_ = reason;
  if (!joined_) return;
  joined_ = false;
  hello_due_ = std::max(now, hello_sent_ + policy_.hello_min);
}

// An Undelivered does not name the message.  It was sent in the last iteration, or in this one if
// on_timeout came first.  So all requests of these two are sent again; the broker recognises those
// that it has already.
void Client::on_undelivered(Instant now) {
  ++counters_.undelivered;
  requests_.queue_sent_since(turn_before_);
  for (auto& [id, sent_at] : cancels_) {
    if (sent_at && *sent_at >= turn_before_) sent_at.reset();
  }
  send_after_ = now + policy_.retry_min;
}

void Client::send_hello(Instant now, Actions& actions) {
  if (now < hello_due_) return;
  if (joined_ && hello_unanswered_ >= policy_.hello_unanswered_max) {
    ++counters_.silences;
    joined_ = false;
    actions.log(machine::LogMessage::Level::warning, "the broker is silent");
  }
  // Doubles with each unanswered hello, and is shortened at random, so that the producers of a
  // broker that has restarted do not say hello all at once.
  Duration wait = policy_.hello_min;
  for (std::uint32_t i = 0; i < hello_unanswered_ && wait < policy_.hello_max; ++i) wait *= 2;
  wait = std::min(wait, policy_.hello_max);
  const double shorter = policy_.hello_jitter * rng_.uniform();
  wait -= std::chrono::duration_cast<Duration>(wait * shorter);
  hello_due_ = now + wait;
  hello_sent_ = now;
  ++hello_unanswered_;
  ++counters_.hellos;
  actions.send(kBroker, wire::ProducerHello{.producer = policy_.producer,
                                            .corrections = policy_.corrections});
}

// --- requests ---

void Client::send_queued(Instant now, Actions& actions) {
  while (now >= send_after_ && requests_.in_flight() < credit()) {
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
  actions.send(kBroker, wire::Submit{.request = id,
                                     .remaining = request.deadline - now,
                                     .image = request.image,
                                     .priority = request.priority,
                                     .latest = request.latest});
  std::optional<Instant> wake;
  if (policy_.resubmit_after > Duration{}) wake = now + policy_.resubmit_after;
  requests_.sent(id, now, request.deadline + policy_.grace, wake);
}

void Client::on_result(wire::Result result, Instant now, Actions& actions) {
  if (joined_) hello_unanswered_ = 0;  // Any result shows that the broker serves us.
  const Request* request = requests_.find(result.request);
  if (request == nullptr) {
    ++(result.request <= last_ ? counters_.duplicate_results : counters_.unknown_results);
  } else if (result.status == ResultStatus::refused) {
    on_refused(std::move(result), now, actions);
  } else {
    deliver(std::move(result), false, now);
  }
}

void Client::on_refused(wire::Result result, Instant now, Actions& actions) {
  const RequestId id = result.request;
  const Request& request = *requests_.find(id);
  if (result.reason == Reason::duplicate_request) {
    ++counters_.open_already;
    return;
  }
  // The broker does not know us, as after its restart: the request is sent again after a hello.
  if (result.reason == Reason::unknown_producer) {
    on_refusal(result.reason, now, actions);
    if (request.state == Request::State::in_flight) requests_.queue(id);
    return;
  }
  // The request has been queued again since this refusal was sent: the newer copy will be answered.
  if (request.state != Request::State::in_flight && is_temporary(result.reason)) return;
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
  const bool unsent = joined_ && request.sends == 0;
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

bool Client::cancels_due() const {
  return std::ranges::any_of(cancels_, [this](const auto& cancel) {
    const bool in_flight = requests_.find(cancel.first)->state == Request::State::in_flight;
    return !in_flight || (!cancel.second && joined_);
  });
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
    if (sent_at || request.sends == 0 || !joined_ || now < send_after_) continue;
    sent_at = now;
    ++counters_.cancels;
    actions.send(kBroker, wire::Cancel{.request = id});
  }
  for (const RequestId id : over) deliver(own_result(id, ResultStatus::cancelled), true, now);
}

void Client::deliver(wire::Result result, bool local, Instant now) {
  const Request request = requests_.remove(result.request);
  cancels_.erase(result.request);
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
