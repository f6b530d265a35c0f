#include "gateway/gateway.h"

#include <algorithm>
#include <string>
#include <utility>

#include "wire/check.h"

namespace gateway {

using machine::Actions;
using wire::Instant;

namespace {

producer::Policy client_policy(const Policy& policy, wire::ProducerId producer) {
  producer::Policy client;
  client.producer = producer;
  client.deadline = policy.deadline;
  client.open_max = policy.open_request_max;
  client.open_bytes_max = policy.open_bytes_max;
  client.retry_refused = false;
  client.retry_draining = true;
  client.brokers = static_cast<std::uint32_t>(policy.brokers.size());
  client.failover_after = policy.failover_after;
  return client;
}

}  // namespace

Gateway::Gateway(const Policy& policy, wire::ProducerId producer)
    : policy_(policy), client_(client_policy(policy, producer)) {}

// --- the side of HTTP ---

Gateway::Ticket Gateway::submit(std::vector<wire::Payload> images,
                                const producer::SubmitOptions& options, Answered answered,
                                Instant now) {
  COLLAGE_CHECK(!images.empty());
  const Ticket ticket = ++last_ticket_;
  submissions_[ticket] = {.outcomes = std::vector<Outcome>(images.size()),
                          .open = images.size(),
                          .answered = std::move(answered)};
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Place place{ticket, i};
    const auto refused = submit_image(std::move(images[i]), place, options, now);
    if (refused) settle(place, {.kind = *refused, .delivered = {}});
  }
  return ticket;
}

std::optional<Outcome::Kind> Gateway::submit_image(wire::Payload image, Place place,
                                                   const producer::SubmitOptions& options,
                                                   Instant now) {
  if (draining_) return Outcome::Kind::draining;
  if (without_broker(now)) return Outcome::Kind::no_broker;
  const wire::RequestId id{.value = last_.value + 1};
  using Submitted = producer::Client::Submitted;
  const Submitted submitted = client_.submit(id, std::move(image), options, now);
  if (submitted == Submitted::full) return Outcome::Kind::no_room;
  if (submitted == Submitted::draining) return Outcome::Kind::draining;
  last_ = id;
  open_.emplace(id, place);
  return std::nullopt;
}

void Gateway::withdraw(Ticket ticket, Instant now) {
  if (submissions_.erase(ticket) == 0) return;
  std::erase_if(open_, [&](const auto& one) {
    if (one.second.ticket != ticket) return false;
    client_.cancel(one.first, now);
    ++withdrawn_;
    return true;
  });
}

void Gateway::settle(Place place, Outcome outcome) {
  const auto found = submissions_.find(place.ticket);
  COLLAGE_CHECK(found != submissions_.end());
  Submission& submission = found->second;
  count(outcome);
  submission.outcomes[place.index] = std::move(outcome);
  if (--submission.open > 0) return;
  // Out of the table first: whoever is answered may submit again.
  Submission done = std::move(submission);
  submissions_.erase(found);
  done.answered(std::move(done.outcomes));
}

void Gateway::count(const Outcome& outcome) {
  const int status = status_of(outcome);
  ++outcomes_[status];
  if (status == 200) latency_.observe(outcome.delivered.latency);
}

// --- the side of the broker ---

Actions Gateway::on_message(machine::Peer from, wire::Message message, Instant now) {
  if (std::holds_alternative<wire::Drain>(message)) draining_ = true;
  return after(client_.on_message(from, std::move(message), now), now);
}

Actions Gateway::on_timeout(Instant now) { return after(client_.on_timeout(now), now); }

Actions Gateway::on_done(wire::WorkId, machine::Outcome, Instant now) { return on_timeout(now); }

std::optional<Instant> Gateway::next_timeout() const {
  auto next = client_.next_timeout();
  if (lost_since_ && !open_.empty()) {
    const Instant end = *lost_since_ + policy_.broker_wait;
    next = next ? std::min(*next, end) : end;
  }
  return next;
}

Actions Gateway::after(Actions actions, Instant now) {
  for (producer::Delivered& one : client_.take_results()) {
    const auto found = open_.find(one.result.request);
    if (found == open_.end()) continue;  // Withdrawn, or ended without a broker.
    const Place place = found->second;
    open_.erase(found);
    settle(place, {.kind = Outcome::Kind::delivered, .delivered = std::move(one)});
  }
  watch_broker(now);
  // Not the client's own word: it also waits for images that were withdrawn.
  actions.finished = draining_ && open_.empty();
  return actions;
}

void Gateway::watch_broker(Instant now) {
  if (client_.joined() || !client_.tried_all()) {
    lost_since_.reset();
  } else if (!lost_since_) {
    lost_since_ = now;
  }
  if (!without_broker(now)) return;
  for (const auto& [id, place] : std::exchange(open_, {})) {
    client_.cancel(id, now);
    settle(place, {.kind = Outcome::Kind::no_broker, .delivered = {}});
  }
}

bool Gateway::without_broker(Instant now) const {
  return lost_since_ && now - *lost_since_ >= policy_.broker_wait;
}

// --- what it tells ---

machine::Telemetry Gateway::telemetry() const {
  machine::Telemetry report;
  report_images(report);
  report_brokers(report);
  const producer::Counters& seen = client_.counters();
  report.dropped({{"duplicate_result", seen.duplicate_results},
                  {"unknown_result", seen.unknown_results},
                  {"left_result", seen.left_results},
                  {"undecodable", seen.undecodable},
                  {"unexpected", seen.unexpected}});
  if (more_) more_(report);
  if (draining_) report.not_ready_reasons.emplace_back("draining");
  return report;
}

void Gateway::report_images(machine::Telemetry& report) const {
  machine::Metric images{"collage_gateway_images_total",
                         "Images by the HTTP status of their outcome.",
                         machine::Metric::Kind::counter,
                         {}};
  for (const auto& [status, count] : outcomes_) {
    images.samples.push_back({{{"status", std::to_string(status)}}, static_cast<double>(count)});
  }
  report.metrics.push_back(std::move(images));
  report.gauge("collage_gateway_open_images", "Images whose outcome is awaited.",
               static_cast<double>(open_.size()));
  report.histogram("collage_gateway_image_duration_seconds",
                   "Time from submit to delivery of answered images.", latency_);
  report.counter("collage_gateway_withdrawn_total", "Images withdrawn: the HTTP client has gone.",
                 withdrawn_);
}

void Gateway::report_brokers(machine::Telemetry& report) const {
  const producer::Counters& seen = client_.counters();
  report.counter("collage_gateway_resubmitted_total",
                 "Images sent to a broker again, because the first copy may be lost.",
                 seen.resubmitted);
  report.counter("collage_gateway_rejoined_total", "Times that a broker came back.", seen.rejoined);
  report.counter("collage_gateway_failovers_total",
                 "Times that a silent broker was left for the next.", seen.failovers);
  report.counter("collage_gateway_moved_total",
                 "Images taken from a broker that did not answer, for the next.", seen.moved);
  report.gauge("collage_joined", "1 while a broker answers, else 0.", client_.joined() ? 1 : 0);
  machine::Metric used{"collage_gateway_broker_used",
                       "1 for the broker that images go to, 0 for the others.",
                       machine::Metric::Kind::gauge,
                       {}};
  for (std::uint32_t i = 0; i < policy_.brokers.size(); ++i) {
    const bool here = client_.joined() && i == client_.broker();
    used.samples.push_back({{{"broker", policy_.brokers[i]}}, here ? 1.0 : 0.0});
  }
  report.metrics.push_back(std::move(used));
  if (client_.joined()) return;
  report.not_ready_reasons.emplace_back("no broker");
  for (std::uint32_t i = 0; i < policy_.brokers.size(); ++i) {
    if (client_.refusal(i) == wire::Reason::none) continue;
    report.not_ready_reasons.push_back("broker " + policy_.brokers[i] + " refuses us: " +
                                       std::string(to_string(client_.refusal(i))));
  }
}

}  // namespace gateway
