#include "stages/membership.h"

#include <algorithm>

namespace stages {

bool Membership::on_message(const wire::Message& message, wire::Instant now,
                            machine::Actions& actions) {
  if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    on_welcome(*welcome, now);
  } else if (const auto* refuse = std::get_if<wire::Refuse>(&message)) {
    on_refuse(*refuse, now, actions);
  } else if (std::holds_alternative<wire::Undelivered>(message)) {
    on_undelivered(now);
  } else if (!std::holds_alternative<wire::Drain>(message)) {
    return false;
  } else if (hello_.role == wire::Role::sink) {
    // The broker sends its open batches again to the sink that comes next.
    actions.finished = true;
  } else {
    set_leaving(true, actions);
  }
  return true;
}

void Membership::on_welcome(const wire::Welcome& welcome, wire::Instant now) {
  // A coordinator repeats its Welcome to find out whether the connection still stands.
  if (joined_ && welcome.epoch == epoch_) return;
  const bool new_epoch = welcome.epoch != epoch_;
  joined_ = true;
  epoch_ = welcome.epoch;
  // A heartbeat of zero would keep the loop busy with Readys.
  heartbeat_ = std::max(welcome.heartbeat, wire::Duration(std::chrono::milliseconds(1)));
  backoff_ = policy_.backoff_min;
  due_ = now;
  if (new_epoch) {
    seen_ = {};
    std::fill(held_.begin(), held_.end(), wire::Sequence{});
  }
}

void Membership::on_refuse(const wire::Refuse& refuse, wire::Instant now,
                           machine::Actions& actions) {
  actions.log(machine::LogMessage::Level::warning,
              "the " + coordinator() + " refuses us: " + std::string(to_string(refuse.reason)));
  // A coordinator that has merely forgotten this stage takes it back at once; any other reason may
  // last.
  const bool forgotten = refuse.reason == wire::Reason::unknown_worker;
  if (!joined_ && forgotten) return;  // A hello is on its way, or about to be.
  joined_ = false;
  due_ = forgotten ? now : now + policy_.backoff_max;
}

void Membership::on_undelivered(wire::Instant now) {
  // The connection takes no messages: without a wait the next one would fail the same way at once.
  if (due_ <= now) due_ = now + backoff_;
}

void Membership::on_timeout(wire::Instant now, machine::Actions& actions) {
  if (now < due_) return;
  if (joined_) {
    due_ = now + heartbeat_;
    return send_ready(actions);
  }
  due_ = now + backoff_;
  backoff_ = std::min(backoff_ * 2, policy_.backoff_max);
  actions.send(kCoordinator, hello_);
}

bool Membership::take(wire::Sequence sequence, wire::Epoch epoch) {
  if (!joined_ || epoch != epoch_ || sequence <= seen_) return false;
  seen_ = sequence;
  held_.push_back(sequence);
  return true;
}

void Membership::release(wire::Sequence sequence, wire::Epoch epoch, machine::Actions& actions) {
  release(sequence, epoch);
  send_ready(actions);
}

void Membership::release(wire::Sequence sequence, wire::Epoch epoch) {
  // A coordinator that has restarted counts from one again: the same number may name two tasks.
  if (epoch != epoch_) sequence = {};
  const auto found = std::find(held_.begin(), held_.end(), sequence);
  if (found != held_.end()) held_.erase(found);
}

void Membership::set_leaving(bool leaving, machine::Actions& actions) {
  leaving_ = leaving;
  send_ready(actions);
}

void Membership::send_ready(machine::Actions& actions) const {
  actions.send(kCoordinator, wire::Ready{seen_, held_, leaving_});
}

std::string Membership::coordinator() const {
  return hello_.role == wire::Role::collage ? "assembler" : "broker";
}

void Membership::report(machine::Telemetry& report) const {
  report.gauge(
      "collage_joined",
      "Whether the broker (of a collage-CNN: its assembler) has welcomed this stage and not "
      "refused it since.",
      joined_ ? 1 : 0);
  report.gauge("collage_tasks_held", "Tasks (assemblers: batches) taken and not done.",
               static_cast<double>(held_.size()));
  if (hello_.role != wire::Role::sink) {
    machine::Metric::Labels labels = {{"version", hello_.model.version}};
    if (!form_.empty()) labels.emplace_back("form", form_);
    report.metrics.push_back({"collage_model_info",
                              "Which version of a model is served, and as which form of its "
                              "network (plain, frozen, fused, bfloat16); always 1.",
                              machine::Metric::Kind::gauge,
                              {{std::move(labels), 1.0}}});
  }
  if (!joined_) {
    report.not_ready_reasons.push_back("not joined: the " + coordinator() + " has not welcomed us");
  }
}

}  // namespace stages
