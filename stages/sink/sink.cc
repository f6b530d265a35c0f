#include "stages/sink/sink.h"

#include <algorithm>
#include <string>
#include <utility>

#include "machine/earliest.h"
#include "wire/check.h"

namespace stages::sink {
namespace {

constexpr machine::Peer kToBroker{kBroker, 0};
constexpr wire::Duration kLearnEvery = std::chrono::seconds(1);

wire::WorkerHello hello(wire::WorkerId id) {
  wire::WorkerHello hello;
  hello.worker = id;
  hello.role = wire::Role::sink;
  return hello;
}

}  // namespace

Sink::Sink(wire::WorkerId id, Policy policy)
    : policy_(policy),
      membership_(hello(id), policy.membership),
      joiner_(policy.joiner),
      patience_(policy.patience),
      view_({.worker_max = 2 * policy.patience.worker_max}) {
  joiner_.set_patience(patience());
}

wire::Duration Sink::patience() const {
  return policy_.collage_first ? wire::Duration::zero() : patience_.service().patience;
}

machine::Actions Sink::on_message(machine::Peer from, wire::Message message, wire::Instant now) {
  if (std::holds_alternative<wire::Drain>(message)) {
    actions_.finished = true;  // What it holds the broker tells again to the next sink.
  } else if (from.link == kBroker) {
    on_broker(std::move(message), now);
  } else {
    on_stage(from, std::move(message), now);
  }
  return std::exchange(actions_, {});
}

void Sink::on_broker(wire::Message message, wire::Instant now) {
  if (const auto* opened = std::get_if<wire::BatchOpened>(&message)) {
    view_.on_opened(*opened);
    tell(joiner_.on_opened(*opened, now), now);
  } else if (const auto* sealed = std::get_if<wire::BatchSealed>(&message)) {
    view_.on_sealed(*sealed, now);
    tell(joiner_.on_sealed(*sealed, now), now);
  } else if (const auto* closed = std::get_if<wire::BatchSettled>(&message)) {
    joiner_.on_closed(closed->batch);
    view_.on_closed(closed->batch);
  } else if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    corrects_ = welcome->correction_window > wire::Duration::zero();
    if (membership_.on_welcome(*welcome, now))
      joiner_.on_epoch(welcome->epoch, welcome->deadline_max);
  } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
    membership_.on_refuse(*refuse, now);
    actions_.log(machine::LogMessage::Level::warning,
                 "the broker refuses us: " + std::string(to_string(refuse->reason)));
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    counters_.undelivered += 1;
    membership_.on_undelivered(now);
  } else {
    counters_.bad_messages += 1;
  }
}

void Sink::on_stage(machine::Peer from, wire::Message message, wire::Instant now) {
  if (auto* answer = std::get_if<wire::Answer>(&message)) {
    counters_.answers += 1;
    (answer->hedge ? hedge_ : single_).observe(answer->age);
    if (!answer->hedge && answer->verdict.reason == wire::Reason::none) {
      patience_.on_service(answer->worker, answer->age);
    }
    view_.on_single(*answer, now);
    Joiner::Single single = joiner_.on_single(std::move(*answer));
    tell(std::move(single.settled), now);
    if (single.corrected && corrects_) actions_.send(kToBroker, std::move(*single.corrected));
  } else if (auto* collage = std::get_if<wire::CollageAnswer>(&message)) {
    counters_.collage_inferences += 1;
    collage_.observe(collage->age);
    view_.on_collage(*collage, now);
    tell(joiner_.on_collage(std::move(*collage), now), now);
  } else if (std::holds_alternative<wire::StatusRequest>(message)) {
    actions_.send(from, status());
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    counters_.undelivered += 1;
  } else if (const auto* undecodable = std::get_if<wire::Undecodable>(&message)) {
    counters_.bad_messages += 1;
    actions_.send(from, wire::Refuse{undecodable->reason});
  } else {
    counters_.bad_messages += 1;
  }
}

void Sink::tell(Joiner::Settled settled, wire::Instant now) {
  for (wire::SlotSettled& one : settled) {
    view_.on_settled(one, now);
    actions_.traces.push_back({.what = "settled",
                               .batch = one.batch,
                               .slot = one.slot,
                               .age = view_.age(one.batch, one.slot, now),
                               .source = one.source});
    actions_.send(kToBroker, std::move(one));
  }
}

machine::Actions Sink::on_timeout(wire::Instant now) {
  tell(joiner_.on_timeout(now), now);
  if (now >= learn_at_) {
    learn_at_ = now + kLearnEvery;
    patience_.learn();
    joiner_.set_patience(patience());
    if (membership_.joined()) {
      wire::ServiceTimes service = patience_.service();
      service.patience = patience();
      actions_.send(kToBroker, service);
    }
  }
  if (auto message = membership_.on_timeout(now)) actions_.send(kToBroker, std::move(*message));
  return std::exchange(actions_, {});
}

machine::Actions Sink::on_done(wire::WorkId, machine::Outcome, wire::Instant) {
  COLLAGE_CHECK(!"the sink asks for no work");
  return {};
}

std::optional<wire::Instant> Sink::next_timeout() const {
  return machine::earliest({learn_at_, membership_.next_timeout(), joiner_.next_timeout()});
}

wire::Status Sink::status() const {
  const Joiner::Counters& c = joiner_.counters();
  return {{
      {"settled_single", c.single},
      {"settled_hedge", c.hedge},
      {"settled_collage", c.collage},
      {"settled_rejected", c.rejected},
      {"late_single", c.late_single},
      {"corrections", c.corrections},
      {"spare_collage", c.spare_collage},
      {"unsure_collage", c.unsure},
      {"bad_answers", c.bad},
      {"stale_answers", c.stale},
      {"orphans", joiner_.orphans()},
      {"orphans_dropped", c.orphans_dropped},
      {"batches_open", joiner_.open_batches()},
      {"batches_refused", c.batches_refused},
      {"batches_expired", c.batches_expired},
      {"answers", counters_.answers},
      {"collage_inferences", counters_.collage_inferences},
      {"undelivered", counters_.undelivered},
      {"bad_messages", counters_.bad_messages},
      {"patience_ns", static_cast<std::uint64_t>(patience().count())},
  }};
}

machine::Telemetry Sink::telemetry() const {
  const Joiner::Counters& c = joiner_.counters();
  machine::Telemetry report;
  membership_.report(report);
  report.counters(
      "collage_settled_total", "Slots settled, by the source of the answer.", "source",
      {{"single", c.single}, {"hedge", c.hedge}, {"collage", c.collage}, {"rejected", c.rejected}});
  report.metrics.push_back({"collage_answer_age_seconds",
                            "Ages of answers since admission (collage: since its batch opened).",
                            machine::Metric::Kind::histogram,
                            {{{{"source", "single"}}, single_},
                             {{{"source", "hedge"}}, hedge_},
                             {{{"source", "collage"}}, collage_}}});
  report.counters("collage_unused_answers_total", "Answers that settled nothing.", "reason",
                  {{"late_single", c.late_single},
                   {"spare_collage", c.spare_collage},
                   {"unsure_collage", c.unsure}});
  report.counter("collage_disagreements_total", "Late single answers that contradict a collage's.",
                 c.corrections);
  report.counter("collage_inferences_total", "Collages answered, needed or not.",
                 counters_.collage_inferences);
  report.gauge("collage_orphans", "Answers kept for batches not told of yet.",
               static_cast<double>(joiner_.orphans()));
  report.gauge("collage_batches_open", "Batches with a slot to be settled.",
               static_cast<double>(joiner_.open_batches()));
  report.dropped({{"bad_answer", c.bad},
                  {"stale_answer", c.stale},
                  {"orphan", c.orphans_dropped},
                  {"batch_refused", c.batches_refused},
                  {"batch_expired", c.batches_expired},
                  {"undelivered", counters_.undelivered},
                  {"bad_message", counters_.bad_messages}});
  report.gauge("collage_patience_seconds", "Time given to single answers.",
               wire::to_seconds(patience()));
  return report;
}

}  // namespace stages::sink
