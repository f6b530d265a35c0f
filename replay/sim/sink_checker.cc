#include "replay/sim/sink_checker.h"

#include <algorithm>
#include <chrono>

namespace replay::sim {

void SinkChecker::on_arrived(NodeId from, const wire::Message& message, wire::Instant now) {
  if (const auto* hello = std::get_if<wire::WorkerHello>(&message)) {
    on_hello(from, *hello);
  } else if (const auto* submit = std::get_if<wire::Submit>(&message)) {
    wire::Duration limit = options_.fleet.broker.deadline;
    if (submit->remaining > wire::Duration::zero()) limit = std::min(limit, submit->remaining);
    asked_.try_emplace({from, submit->request}, Asked{token_of(submit->image), now + limit});
  }
}

void SinkChecker::on_hello(NodeId from, const wire::WorkerHello& hello) {
  if (hello.role == wire::Role::sink) indices_[from] = hello.sink;
}

void SinkChecker::on_sent(NodeId, NodeId to, const wire::Message& message, wire::Instant now) {
  if (const auto* opened = std::get_if<wire::BatchOpened>(&message)) {
    opened_[opened->batch] = indices_[to];
  } else if (const auto* assign = std::get_if<wire::Assign>(&message)) {
    on_assign(*assign, now);
  } else if (const auto* answer = std::get_if<wire::Answer>(&message)) {
    on_answer(*answer, now);
  } else if (const auto* result = std::get_if<wire::Result>(&message)) {
    on_result(to, *result, now);
  }
}

void SinkChecker::on_assign(const wire::Assign& assign, wire::Instant now) {
  slots_[{assign.batch, assign.slot}] = token_of(assign.image);
  // A batch that no sink was there for has been opened nowhere.
  const auto opened = opened_.find(assign.batch);
  if (opened == opened_.end() || opened->second == assign.sink) return;
  violations_.add("a task names another sink than that of its batch", now);
}

void SinkChecker::on_answer(const wire::Answer& answer, wire::Instant now) {
  const auto slot = slots_.find({answer.batch, answer.slot});
  if (slot != slots_.end()) answered_.try_emplace(slot->second, now);
}

void SinkChecker::on_result(NodeId producer, const wire::Result& result, wire::Instant now) {
  const auto asked = asked_.find({producer, result.request});
  if (asked == asked_.end()) return;
  if (result.reason == wire::Reason::duplicate_request) return;
  const Asked request = asked->second;
  asked_.erase(asked);
  // A copy that is sent again and comes after this result is another request.
  const auto answered = answered_.extract(request.token);
  if (!options_.faults.one_sink || result.status != wire::ResultStatus::missing) return;
  if (answered.empty() || request.deadline - answered.mapped() < notice_max()) return;
  violations_.add("an answer is lost with its sink", now);
}

// The broker looks for silent sinks once a heartbeat, and messages take their time.
wire::Duration SinkChecker::notice_max() const {
  const broker::Policy& broker = options_.fleet.broker;
  const Faults& faults = options_.faults;
  wire::Duration most = broker.silence_max() + 2 * broker.heartbeat + std::chrono::milliseconds(50);
  if (options_.fleet.sinks == 1) {
    // Outages may follow one another, and a sink that comes back joins again.
    most += faults.sink_crashes * faults.down_max + faults.stalls * faults.stall_max +
            options_.fleet.sink.membership.backoff_max;
  }
  return most;
}

}  // namespace replay::sim
