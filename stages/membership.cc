#include "stages/membership.h"

#include <algorithm>

namespace stages {

bool Membership::on_welcome(const wire::Welcome& welcome, wire::Instant now) {
  if (joined_ && welcome.epoch == epoch_) return false;  // A ping.
  const bool fresh = welcome.epoch != epoch_;
  joined_ = true;
  epoch_ = welcome.epoch;
  heartbeat_ = std::max(welcome.heartbeat, wire::Duration(std::chrono::milliseconds(1)));
  backoff_ = policy_.backoff_min;
  due_ = now;
  if (fresh) {
    seen_ = {};
    std::fill(held_.begin(), held_.end(), wire::Sequence{});
  }
  return fresh;
}

void Membership::on_refuse(const wire::Refuse& refuse, wire::Instant now) {
  const bool forgotten = refuse.reason == wire::Reason::unknown_worker;
  if (!joined_ && forgotten) return;  // We are saying hello already.
  joined_ = false;
  due_ = forgotten ? now : now + policy_.backoff_max;
}

void Membership::on_undelivered(wire::Instant now) {
  if (due_ <= now) due_ = now + backoff_;
}

std::optional<wire::Message> Membership::on_timeout(wire::Instant now) {
  if (now < due_) return std::nullopt;
  if (joined_) {
    due_ = now + heartbeat_;
    return ready();
  }
  due_ = now + backoff_;
  backoff_ = std::min(backoff_ * 2, policy_.backoff_max);
  return hello_;
}

bool Membership::take(wire::Sequence sequence, wire::Epoch epoch) {
  if (!joined_ || epoch != epoch_ || sequence <= seen_) return false;
  seen_ = sequence;
  held_.push_back(sequence);
  return true;
}

wire::Ready Membership::release(wire::Sequence sequence, wire::Epoch epoch) {
  // A host that has restarted counts afresh: the same number may name two tasks.
  if (epoch != epoch_) sequence = {};
  const auto found = std::find(held_.begin(), held_.end(), sequence);
  if (found != held_.end()) held_.erase(found);
  return ready();
}

wire::Ready Membership::set_leaving(bool leaving) {
  leaving_ = leaving;
  return ready();
}

void Membership::report(machine::Telemetry& report) const {
  report.gauge("collage_joined",
               "Whether whoever gives the work has welcomed this stage and not refused it since.",
               joined_ ? 1 : 0);
  report.gauge("collage_tasks_held", "Tasks (assemblers: batches) taken and not done.",
               static_cast<double>(held_.size()));
  if (hello_.role != wire::Role::sink) {
    report.metrics.push_back({"collage_model_info",
                              "Which version of a model is served; always 1.",
                              machine::Metric::Kind::gauge,
                              {{{{"version", hello_.model.version}}, 1.0}}});
  }
  const std::string host = hello_.role == wire::Role::collage ? "assembler" : "broker";
  if (!joined_)
    report.not_ready_reasons.push_back("not joined: the " + host + " has not welcomed us");
}

}  // namespace stages
