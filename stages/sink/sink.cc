#include "stages/sink/sink.h"

#include <algorithm>
#include <string>
#include <utility>

#include "machine/earliest.h"
#include "machine/figures.h"
#include "wire/check.h"

namespace stages::sink {
namespace {

constexpr machine::Peer kToBroker{kBroker, 0};
constexpr wire::Duration kLearnEvery = std::chrono::seconds(1);

std::uint64_t nanoseconds(wire::Duration duration) {
  return static_cast<std::uint64_t>(duration.count());
}

wire::WorkerHello hello(wire::WorkerId id, wire::SinkIndex index) {
  wire::WorkerHello hello;
  hello.worker = id;
  hello.role = wire::Role::sink;
  hello.sink = index;
  return hello;
}

}  // namespace

Sink::Sink(wire::WorkerId id, Policy policy)
    : policy_(policy),
      membership_(hello(id, policy.index), policy.membership),
      joiner_(policy.joiner),
      patience_(policy.patience),
      dashboard_({.worker_max = 2 * policy.patience.worker_max}),
      broker_(policy.worker_max) {
  joiner_.set_patience(patience());
}

wire::Duration Sink::patience() const {
  return policy_.collage_first ? wire::Duration::zero() : patience_.learned().patience;
}

machine::Actions Sink::on_message(machine::Peer from, wire::Message message, wire::Instant now) {
  if (std::holds_alternative<wire::Undelivered>(message)) counters_.undelivered += 1;
  if (from.link == kBroker || std::holds_alternative<wire::Drain>(message)) {
    on_broker(std::move(message), now);
  } else {
    on_stage(from, std::move(message), now);
  }
  return std::exchange(actions_, {});
}

void Sink::on_broker(wire::Message message, wire::Instant now) {
  if (const auto* opened = std::get_if<wire::BatchOpened>(&message)) {
    // If the batch is known, what was chosen for it may have been lost.
    for (wire::SlotSettled& chosen : joiner_.chosen(opened->batch)) {
      counters_.chosen_again += 1;
      actions_.send(kToBroker, std::move(chosen));
    }
    dashboard_.on_opened(*opened);
    send_settled(joiner_.on_opened(*opened, now), now);
  } else if (const auto* sealed = std::get_if<wire::BatchSealed>(&message)) {
    dashboard_.on_sealed(*sealed, now);
    send_settled(joiner_.on_sealed(*sealed, now), now);
  } else if (const auto* settled = std::get_if<wire::BatchSettled>(&message)) {
    joiner_.on_batch_settled(settled->batch);
    dashboard_.on_batch_settled(settled->batch);
  } else if (auto* workers = std::get_if<wire::WorkerStates>(&message)) {
    broker_.on_workers(std::move(*workers), now);
  } else if (const auto* status = std::get_if<wire::Status>(&message)) {
    on_status(*status, now);
  } else {
    const wire::Epoch before = membership_.epoch();
    if (!membership_.on_message(message, now, actions_)) counters_.bad_messages += 1;
    const auto* welcome = std::get_if<wire::Welcome>(&message);
    if (!welcome) return;
    corrects_ = welcome->correction_window > wire::Duration::zero();
    heartbeat_ = welcome->heartbeat;
    if (membership_.epoch() != before) joiner_.on_epoch(welcome->epoch, welcome->deadline_max);
  }
}

void Sink::on_stage(machine::Peer from, wire::Message message, wire::Instant now) {
  if (auto* answer = std::get_if<wire::Answer>(&message)) {
    counters_.answers += 1;
    (answer->hedge ? hedge_ : single_).observe(answer->age);
    if (!answer->hedge && answer->verdict.reason == wire::Reason::none) {
      patience_.on_answer(answer->worker, answer->service, answer->age, now);
    }
    dashboard_.on_single(*answer, now);
    Joiner::Single single = joiner_.on_single(std::move(*answer));
    send_settled(std::move(single.settled), now);
    if (single.disagreement && corrects_) {
      actions_.send(kToBroker, std::move(*single.disagreement));
    }
  } else if (auto* collage = std::get_if<wire::CollageAnswer>(&message)) {
    counters_.collage_inferences += 1;
    collage_.observe(collage->age);
    dashboard_.on_collage(*collage, now);
    send_settled(joiner_.on_collage(std::move(*collage), now), now);
  } else if (auto* picture = std::get_if<wire::CollagePicture>(&message)) {
    on_picture(std::move(*picture));
  } else if (std::holds_alternative<wire::StatusRequest>(message)) {
    actions_.send(from, status());
  } else if (const auto* undecodable = std::get_if<wire::Undecodable>(&message)) {
    counters_.bad_messages += 1;
    actions_.send(from, wire::Refuse{undecodable->reason});
  } else if (!std::holds_alternative<wire::Undelivered>(message)) {
    counters_.bad_messages += 1;
  }
}

void Sink::on_status(const wire::Status& status, wire::Instant now) {
  broker_.on_status(status, now);
  const auto figure = [this](std::string_view name) { return broker_.figure(name); };
  dashboard_.on_counts({.single = figure("answered_single"),
                        .hedge = figure("answered_hedge"),
                        .collage = figure("answered_collage"),
                        .brownout = figure("answered_brownout"),
                        .missing = figure("missing"),
                        .refused = figure("refused"),
                        .rejected = figure("rejected"),
                        .batches = figure("batches"),
                        .uncovered = figure("batches_uncovered"),
                        .covered = figure("batches_covered"),
                        .images = figure("images_covered")});
}

void Sink::on_picture(wire::CollagePicture picture) {
  // Multiplied as 64 bits and bounded one by one, so that a peer's numbers cannot overflow.
  constexpr std::uint64_t kSideMax = 1 << 16;
  const bool fits =
      picture.width <= kSideMax && picture.height <= kSideMax &&
      (picture.channels == 1 || picture.channels == 3) &&
      std::uint64_t{picture.width} * picture.height * picture.channels == picture.picture.size();
  if (!fits || !policy_.show_pictures) {
    counters_.bad_messages += 1;
    return;
  }
  picture_ = std::move(picture);
}

Headline Sink::headline(wire::Instant now) const {
  // A minute of the history.
  const auto minute =
      static_cast<std::size_t>(std::chrono::minutes(1) / dashboard_.history().interval());
  return sink::headline(broker_, dashboard_.history().recent(minute), membership_.joined(),
                        heartbeat_, now);
}

void Sink::send_settled(Joiner::Settled settled, wire::Instant now) {
  for (wire::SlotSettled& one : settled) {
    dashboard_.on_settled(one, now);
    actions_.traces.push_back({.what = "settled",
                               .batch = one.batch,
                               .slot = one.slot,
                               .age = dashboard_.age(one.batch, one.slot, now),
                               .source = one.source});
    actions_.send(kToBroker, std::move(one));
  }
}

machine::Actions Sink::on_timeout(wire::Instant now) {
  send_settled(joiner_.on_timeout(now), now);
  if (now >= learn_at_) {
    learn_at_ = now + kLearnEvery;
    dashboard_.advance(now);
    patience_.learn(now);
    joiner_.set_patience(patience());
    if (membership_.joined()) {
      wire::ServiceTimes learned = patience_.learned();
      learned.patience = patience();
      actions_.send(kToBroker, learned);
    }
  }
  membership_.on_timeout(now, actions_);
  return std::exchange(actions_, {});
}

machine::Actions Sink::on_done(wire::WorkId, machine::Outcome, wire::Instant) {
  COLLAGE_CHECK(false && "the sink asks for no work");
  return {};
}

std::optional<wire::Instant> Sink::next_timeout() const {
  return machine::earliest({learn_at_, membership_.next_timeout(), joiner_.next_timeout()});
}

namespace {

using machine::counter;
using machine::dropped;
using machine::gauge;

constexpr const char* kSettled = "collage_settled_total";
constexpr const char* kSettledHelp = "Slots settled, by the source of the answer.";
constexpr const char* kUnused = "collage_unused_answers_total";
constexpr const char* kUnusedHelp = "Answers that settled nothing.";

}  // namespace

struct Sink::Figures {
  using S = Sink;
  static constexpr machine::Figure<S> kTable[] = {
      counter<S>([](const S& s) { return s.joiner_.counters().single; }, "settled_single", kSettled,
                 kSettledHelp, "source", "single"),
      counter<S>([](const S& s) { return s.joiner_.counters().hedge; }, "settled_hedge", kSettled,
                 kSettledHelp, "source", "hedge"),
      counter<S>([](const S& s) { return s.joiner_.counters().collage; }, "settled_collage",
                 kSettled, kSettledHelp, "source", "collage"),
      counter<S>([](const S& s) { return s.joiner_.counters().rejected; }, "settled_rejected",
                 kSettled, kSettledHelp, "source", "rejected"),
      counter<S>([](const S& s) { return s.joiner_.counters().late_single; }, "late_single",
                 kUnused, kUnusedHelp, "reason", "late_single"),
      counter<S>([](const S& s) { return s.joiner_.counters().disagreements; }, "corrections",
                 "collage_disagreements_total", "Late single answers that contradict a collage's."),
      counter<S>([](const S& s) { return s.joiner_.counters().spare_collage; }, "spare_collage",
                 kUnused, kUnusedHelp, "reason", "spare_collage"),
      counter<S>([](const S& s) { return s.joiner_.counters().unsure; }, "unsure_collage", kUnused,
                 kUnusedHelp, "reason", "unsure_collage"),
      dropped<S>([](const S& s) { return s.joiner_.counters().bad; }, "bad_answers", "bad_answer"),
      dropped<S>([](const S& s) { return s.joiner_.counters().stale; }, "stale_answers",
                 "stale_answer"),
      gauge<S>([](const S& s) { return s.joiner_.orphans(); }, "orphans", "collage_orphans",
               "Answers kept for batches that are not open yet."),
      dropped<S>([](const S& s) { return s.joiner_.counters().orphans_dropped; }, "orphans_dropped",
                 "orphan"),
      gauge<S>([](const S& s) { return s.joiner_.open_batches(); }, "batches_open",
               "collage_batches_open", "Batches with a slot to be settled."),
      dropped<S>([](const S& s) { return s.joiner_.counters().batches_refused; }, "batches_refused",
                 "batch_refused"),
      dropped<S>([](const S& s) { return s.joiner_.counters().batches_expired; }, "batches_expired",
                 "batch_expired"),
      counter<S>([](const S& s) { return s.counters_.answers; }, "answers", "", ""),
      counter<S>([](const S& s) { return s.counters_.chosen_again; }, "chosen_again",
                 "collage_choices_sent_again_total",
                 "Choices sent again, for the broker asked for a batch again."),
      counter<S>([](const S& s) { return s.counters_.collage_inferences; }, "collage_inferences",
                 "collage_inferences_total", "Collages answered, needed or not."),
      dropped<S>([](const S& s) { return s.counters_.undelivered; }, "undelivered", "undelivered"),
      dropped<S>([](const S& s) { return s.counters_.bad_messages; }, "bad_messages",
                 "bad_message"),
      counter<S>([](const S& s) { return nanoseconds(s.joiner_.counters().wasted_single); },
                 "wasted_single_ns", "", ""),
      counter<S>([](const S& s) { return nanoseconds(s.joiner_.counters().wasted_collage); },
                 "wasted_collage_ns", "", ""),
      gauge<S>([](const S& s) { return static_cast<std::uint64_t>(s.patience().count()); },
               "patience_ns", "", ""),
  };
};

wire::Status Sink::status() const { return machine::status_of<Sink>(Figures::kTable, *this); }

void Sink::report_agreement(machine::Telemetry& report) const {
  machine::Metric compared{"collage_model_compared_total",
                           "Late single answers compared with a collage's, by its version.",
                           machine::Metric::Kind::counter,
                           {}};
  machine::Metric differ{"collage_model_disagreements_total",
                         "Those that name another class, by the version of the collage model.",
                         machine::Metric::Kind::counter,
                         {}};
  for (const auto& [version, agreement] : joiner_.agreements()) {
    const machine::Metric::Labels labels{{"version", version}};
    compared.samples.push_back({labels, static_cast<double>(agreement.compared)});
    differ.samples.push_back({labels, static_cast<double>(agreement.disagreements)});
  }
  report.metrics.push_back(std::move(compared));
  report.metrics.push_back(std::move(differ));
}

machine::Telemetry Sink::telemetry() const {
  machine::Telemetry report;
  membership_.report(report);
  machine::add_metrics<Sink>(Figures::kTable, *this, report);
  report.metrics.push_back({"collage_answer_age_seconds",
                            "Ages of answers since admission (collage: since its batch opened).",
                            machine::Metric::Kind::histogram,
                            {{{{"source", "single"}}, single_},
                             {{{"source", "hedge"}}, hedge_},
                             {{{"source", "collage"}}, collage_}}});
  report.metrics.push_back(
      {"collage_wasted_seconds_total",
       "Time of stages for answers that settled nothing, by what they were.",
       machine::Metric::Kind::counter,
       {{{{"reason", "late_single"}}, wire::to_seconds(joiner_.counters().wasted_single)},
        {{{"reason", "spare_collage"}}, wire::to_seconds(joiner_.counters().wasted_collage)}}});
  report_agreement(report);
  report.gauge("collage_patience_seconds", "Time given to single answers.",
               wire::to_seconds(patience()));
  return report;
}

}  // namespace stages::sink
