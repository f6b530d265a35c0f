#include "broker/broker.h"

#include <algorithm>
#include <utility>

#include "machine/earliest.h"
#include "wire/check.h"

namespace broker {
namespace {

using wire::Reason;

Roster::Policy roster_policy(const Policy& policy) {
  return {.worker_max = policy.worker_max,
          .silence_max = policy.silence_max(),
          .task_age_max = policy.task_age_max,
          .probe_every = policy.heartbeat};
}

bool only_a_sink_sends(const wire::Message& message) {
  return std::holds_alternative<wire::SlotSettled>(message) ||
         std::holds_alternative<wire::Disagreement>(message) ||
         std::holds_alternative<wire::ServiceTimes>(message);
}

}  // namespace

Broker::Broker(Policy policy, wire::Epoch epoch)
    : policy_(std::move(policy)),
      epoch_(epoch),
      slots_(static_cast<wire::Slot>(policy_.grid * policy_.grid)),
      labels_hash_(wire::labels_hash(policy_.labels)),
      batcher_(epoch, slots_, policy_.linger),
      dispatcher_({.roster = roster_policy(policy_),
                   .hedge_rate_max = policy_.hedge_rate_max,
                   .ties = policy_.redundancy.ties},
                  sequences_),
      covers_({.roster = roster_policy(policy_),
               .collages_per_batch = policy_.redundancy.collages_per_batch},
              sequences_),
      sessions_({policy_.producer_max, policy_.producer_credit, policy_.silence_max()}),
      corrections_({policy_.correction_window, policy_.correction_max}),
      sinks_({.slots = slots_,
              .sink_max = policy_.sink_max,
              .heartbeat = policy_.heartbeat,
              .silence_max = policy_.silence_max()}) {
  COLLAGE_CHECK(policy_.grid >= wire::kGridSideMin && policy_.grid <= wire::kGridSideMax);
  COLLAGE_CHECK(policy_.linger < policy_.hedge_after && policy_.hedge_after < policy_.deadline);
}

// --- the contract ---

machine::Actions Broker::on_message(machine::Peer from, wire::Message message, wire::Instant now) {
  now_ = now;
  if (std::holds_alternative<wire::Drain>(message)) {
    drain();
  } else if (from.link == kProducers) {
    on_producer(from, std::move(message));
  } else {
    on_worker(from, std::move(message));
  }
  return std::exchange(actions_, {});
}

machine::Actions Broker::on_timeout(wire::Instant now) {
  now_ = now;
  if (const auto open = batcher_.open(); open && now >= batcher_.next_timeout()) linger(*open);
  if (const auto last = batcher_.on_timeout(now)) seal(*last);
  // After a stall both may be due of one image, which must not be given out any more.
  std::vector<Task> late;
  while (const auto timer = ledger_.take_due(now)) {
    timer->due == Ledger::Due::deadline ? miss(timer->task) : late.push_back(timer->task);
  }
  for (const Task task : late) look(task);
  if (overload_.on()) serve_line();
  if (now >= next_sweep_) sweep();
  if (drain_until_) {
    if (now >= *drain_until_) miss_all();
    actions_.finished = ledger_.open_requests() == 0;
  }
  return std::exchange(actions_, {});
}

machine::Actions Broker::on_done(wire::WorkId, machine::Outcome, wire::Instant) {
  COLLAGE_CHECK(false && "the broker asks for no work");
  return {};
}

std::optional<wire::Instant> Broker::next_timeout() const {
  return machine::earliest(
      {next_sweep_, batcher_.next_timeout(), ledger_.next_timeout(), collage_at(), drain_until_});
}

// --- by link ---

void Broker::on_producer(machine::Peer from, wire::Message message) {
  if (auto* authenticated = std::get_if<wire::Authenticated>(&message)) {
    authenticated_ = {from, std::move(authenticated->key_name)};
  } else if (const auto* hello = std::get_if<wire::ProducerHello>(&message)) {
    on_hello(from, *hello);
  } else if (auto* submit = std::get_if<wire::Submit>(&message)) {
    on_submit(from, std::move(*submit));
  } else if (const auto* cancel = std::get_if<wire::Cancel>(&message)) {
    on_cancel(from, *cancel);
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    counters_.results_undelivered += 1;
    sessions_.lost(from);
  } else {
    on_anyone(from, message);
  }
}

void Broker::on_worker(machine::Peer from, wire::Message message) {
  if (const auto sink = sinks_.heard(from, now_); sink && on_sink(from, *sink, message)) return;
  if (const auto* hello = std::get_if<wire::WorkerHello>(&message)) {
    on_hello(from, *hello);
  } else if (const auto* ready = std::get_if<wire::Ready>(&message)) {
    on_ready(from, *ready);
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    on_worker_undelivered(from);
  } else if (only_a_sink_sends(message)) {
    // It may be a sink that has not joined in this life of the broker.  This reason makes it say
    // hello at once, and without a sink no request is answered.
    refuse_peer(from, Reason::unknown_worker);
  } else {
    on_anyone(from, message);
  }
}

// False for what a sink sends as any worker does.
bool Broker::on_sink(machine::Peer from, wire::SinkIndex index, wire::Message& message) {
  if (auto* settled = std::get_if<wire::SlotSettled>(&message)) {
    on_settled(std::move(*settled));
  } else if (auto* disagreement = std::get_if<wire::Disagreement>(&message)) {
    on_disagreement(std::move(*disagreement));
  } else if (const auto* service = std::get_if<wire::ServiceTimes>(&message)) {
    sinks_.learn(index, *service);
    service_ = sinks_.service();
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    on_sink_lost(*sinks_.leave(from));
  } else {
    return false;
  }
  return true;
}

void Broker::on_anyone(machine::Peer from, const wire::Message& message) {
  if (std::holds_alternative<wire::StatusRequest>(message)) {
    actions_.send(from, status());
  } else if (std::holds_alternative<wire::Refuse>(message)) {
    // Never answered: two peers of different versions would refuse each other for ever.
    counters_.bad_messages += 1;
  } else if (const auto* undecodable = std::get_if<wire::Undecodable>(&message)) {
    refuse_peer(from, undecodable->reason);
  } else {
    refuse_peer(from, Reason::wrong_role);
  }
}

void Broker::refuse_peer(machine::Peer from, Reason reason) {
  counters_.bad_messages += 1;
  actions_.send(from, wire::Refuse{reason});
}

void Broker::welcome(machine::Peer peer, std::size_t credit) {
  actions_.send(
      peer, wire::Welcome{epoch_, policy_.heartbeat, static_cast<std::uint32_t>(credit),
                          policy_.image_bytes_max, policy_.deadline, policy_.correction_window});
}

void Broker::drain() {
  if (drain_until_) return;
  drain_until_ = now_ + policy_.drain_max;
  if (const auto last = batcher_.flush()) seal(*last);
  actions_.finished = ledger_.open_requests() == 0;
}

}  // namespace broker
