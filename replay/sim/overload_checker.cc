#include "replay/sim/overload_checker.h"

#include <algorithm>
#include <chrono>

namespace replay::sim {
namespace {

// At most one sweep of the broker, which finds who is on probation, comes between two reports.
constexpr wire::Duration kReportsApart = std::chrono::milliseconds(100);

std::uint64_t read(const wire::Status& status, const char* name) {
  for (const wire::Counter& counter : status.counters) {
    if (counter.name == name) return counter.value;
  }
  return 0;
}

}  // namespace

OverloadChecker::OverloadChecker(const TrialOptions& options, Violations& violations,
                                 Weights weights)
    : options_(options),
      violations_(violations),
      faultless_(options.faultless()),
      knows_probation_(faultless_ && options.fleet.broker.heartbeat > kReportsApart),
      weights_(std::move(weights)) {}

bool OverloadChecker::brownout() const {
  const broker::Policy& policy = options_.fleet.broker;
  return policy.brownout && policy.redundancy.collages_per_batch > 0;
}

bool OverloadChecker::is_open(const Image& image) const {
  const auto found = tokens_.find(image.first);
  return found != tokens_.end() && open_.at(found->second).admission == image.second;
}

// --- what the broker hears ---

void OverloadChecker::on_arrived(NodeId from, const wire::Message& message, wire::Instant now) {
  arrived_.reset();
  if (told_ && is_open(*told_)) {
    violations_.add("the broker does not pass on what the sink has settled", now);
  }
  told_.reset();
  if (const auto* submit = std::get_if<wire::Submit>(&message)) {
    on_submit(from, *submit, now);
  } else if (const auto* hello = std::get_if<wire::ProducerHello>(&message)) {
    producers_[from] = hello->producer;
    const auto own = weights_.find(from);
    weights_by_id_[hello->producer] = own == weights_.end() ? 1 : own->second;
  } else if (const auto* worker = std::get_if<wire::WorkerHello>(&message)) {
    if (worker->role == wire::Role::sink) return;
    stages_[from].classifies = worker->role == wire::Role::classifier;
    stages_[from].capacity = worker->capacity;
  } else if (const auto* ready = std::get_if<wire::Ready>(&message)) {
    on_ready(from, *ready);
  } else if (const auto* settled = std::get_if<wire::SlotSettled>(&message)) {
    const auto slot = slots_.find({settled->batch, settled->slot});
    // A sink that has restarted is heard once it has joined.
    if (faultless_ && slot != slots_.end()) told_ = slot->second;
  }
}

void OverloadChecker::on_submit(NodeId from, const wire::Submit& submit, wire::Instant now) {
  const auto producer = producers_.find(from);
  if (producer == producers_.end()) return;
  wire::Duration limit = options_.fleet.broker.deadline;
  if (submit.remaining > wire::Duration::zero()) limit = std::min(limit, submit.remaining);
  arrived_ = Open{{producer->second, submit.request},
                  token_of(submit.image),
                  submit.priority,
                  now + limit,
                  submit.remaining,
                  0,
                  false,
                  false,
                  false};
}

void OverloadChecker::on_ready(NodeId from, const wire::Ready& ready) {
  const auto found = stages_.find(from);
  if (found == stages_.end()) return;
  Stage& stage = found->second;
  const std::set<wire::Sequence> held(ready.held.begin(), ready.held.end());
  std::erase_if(stage.sent, [&](wire::Sequence sent) {
    return sent.value <= ready.seen.value && !held.contains(sent);
  });
  const auto ours = static_cast<std::size_t>(std::ranges::count_if(
      held, [&](wire::Sequence sequence) { return stage.sent.contains(sequence); }));
  stage.held = held.size() - ours;
  stage.ready = !ready.leaving;
}

// --- what the broker does ---

void OverloadChecker::on_traced(const std::vector<machine::TraceEvent>& events, wire::Instant now) {
  for (const machine::TraceEvent& event : events) {
    if (event.what == "admitted") {
      admit(event);
    } else if (event.producer != wire::ProducerId{} && event.what != "placed") {
      settle(event, now);
    }
  }
}

void OverloadChecker::admit(const machine::TraceEvent& event) {
  const Key key{event.producer, event.request};
  if (!arrived_ || arrived_->key != key) return;
  Open& open = open_[key] = *arrived_;
  tokens_[open.token] = key;
  open.admission = ++admissions_;
  open.waits = event.batch == wire::BatchId{};
  if (!open.waits) return;
  in_line_ += 1;
  Queue& own = queue(open);
  // As docs/ARCHITECTURE.md says: who asks for little shall have it soon.
  open.favoured = open.priority == wire::Priority::high || own.waiting == 0;
  own.waiting += 1;
  own.favoured += open.favoured ? 1 : 0;
}

void OverloadChecker::settle(const machine::TraceEvent& event, wire::Instant now) {
  const auto found = open_.find({event.producer, event.request});
  if (found == open_.end()) return;
  Open& open = found->second;
  if (open.waits) {
    if (event.what == "missing") {
      // An image that was too late may have had the turn.
      use_turn(open);
      queue(open).missed = now;
    }
    leave_line(open);
  }
  tokens_.erase(open.token);
  settled_[open.key] = open;
  open_.erase(found);
}

void OverloadChecker::on_sent(NodeId to, const wire::Message& message, wire::Instant now) {
  if (const auto* assign = std::get_if<wire::Assign>(&message)) {
    on_assign(to, *assign, now);
  } else if (const auto* withdraw = std::get_if<wire::Withdraw>(&message)) {
    on_withdraw(*withdraw, now);
  } else if (const auto* result = std::get_if<wire::Result>(&message)) {
    on_result(to, *result, now);
  } else if (const auto* status = std::get_if<wire::Status>(&message)) {
    on_status(*status, now);
  }
}

void OverloadChecker::on_assign(NodeId to, const wire::Assign& assign, wire::Instant now) {
  Stage& stage = stages_[to];
  const Token token = token_of(assign.image);
  stage.sent.insert(assign.sequence);
  images_[assign.sequence] = token;
  if (assign.remaining <= wire::Duration::zero()) {
    violations_.add("the broker gives out an image whose time is over", now);
  }
  const auto found = tokens_.find(token);
  if (found == tokens_.end()) return;
  Open& open = open_.at(found->second);
  slots_[{assign.batch, assign.slot}] = {token, open.admission};
  if (stage.classifies) open.given = true;
  if (!open.waits) return;
  if (faultless_ && assign.remaining < options_.executor.single.least / 2) {
    violations_.add("the broker gives out an image that cannot be classified in time", now);
  }
  take(open, now);
}

// A collage leaves favoured images to the s-CNNs, whoever's turn it is: while one of a producer
// waits, its others may be behind.  It has one at most, the first of its line, but at priority
// high.
bool OverloadChecker::shares(const Queue& queue) const {
  return queue.waiting > 0 && !(brownout() && queue.favoured > 0);
}

// By deficit round robin each of two producers that wait has a turn between two turns of the other.
// So the one that has just had its turn is at most that turn ahead, and under brownout by one
// favoured image, which a collage had left to the s-CNNs, more.
void OverloadChecker::take(Open& open, wire::Instant now) {
  const std::uint64_t own_weight = weight(open.key.first);
  for (auto& [id, other] : queues_) {
    if (id.first != open.priority || id.second == open.key.first || !shares(other)) continue;
    // The traces of a turn come before its messages: which of them was first is not known.
    if (other.missed == now) continue;
    const std::uint64_t other_weight = weight(id.second);
    std::uint64_t& ahead = other.behind[open.key.first];
    ahead += other_weight;
    // Whose submits arrive is not known for sure after the crash of a producer.
    if (options_.faults.producer_crashes > 0) continue;
    if (ahead > (own_weight + (brownout() ? 1 : 0)) * other_weight) {
      violations_.add("a producer gets more than its share while another one waits", now);
    }
  }
  use_turn(open);
  leave_line(open);
}

// The others that wait have lost what this image counts.
void OverloadChecker::use_turn(const Open& open) {
  for (auto& [id, ahead] : queue(open).behind) ahead -= std::min<std::uint64_t>(ahead, weight(id));
}

void OverloadChecker::leave_line(Open& open) {
  Queue& own = queue(open);
  own.waiting -= 1;
  own.favoured -= open.favoured ? 1 : 0;
  if (own.waiting == 0) own.behind.clear();
  open.waits = false;
  in_line_ -= 1;
}

std::uint32_t OverloadChecker::weight(wire::ProducerId producer) const {
  const auto found = weights_by_id_.find(producer);
  return found == weights_by_id_.end() ? 1 : found->second;
}

void OverloadChecker::on_withdraw(const wire::Withdraw& withdraw, wire::Instant now) {
  const auto found = images_.find(withdraw.sequence);
  if (found == images_.end()) {
    return violations_.add("the broker withdraws a task that it did not give", now);
  }
  if (!tokens_.contains(found->second)) return;
  violations_.add("the broker withdraws a task whose slot is open", now);
}

void OverloadChecker::on_result(NodeId to, const wire::Result& result, wire::Instant now) {
  if (result.status == wire::ResultStatus::refused) {
    if (result.reason == wire::Reason::overloaded) suspect();
    return;
  }
  const auto producer = producers_.find(to);
  if (producer == producers_.end()) return;
  const auto found = settled_.find({producer->second, result.request});
  if (found == settled_.end()) return;
  const Open open = found->second;
  settled_.erase(found);
  if (result.status == wire::ResultStatus::answered && now >= open.deadline) {
    violations_.add("the broker answers an image after its deadline", now);
  }
  if (!result.brownout) return;
  if (!brownout() || result.source != wire::Source::collage) {
    violations_.add("an answer says brownout against the policy", now);
  }
  if (open.given) violations_.add("an answer says brownout though an s-CNN has the image", now);
}

// --- stages that idle ---

// An s-CNN idles if it has room for a task.  A batch is given to an assembler that has no other.
std::size_t OverloadChecker::idle(bool classifies) const {
  return static_cast<std::size_t>(std::ranges::count_if(stages_, [&](const auto& each) {
    const Stage& stage = each.second;
    if (stage.classifies != classifies || !stage.ready) return false;
    return stage.outstanding() < (classifies ? stage.capacity : 1);
  }));
}

// Whether stages are on probation is known when the broker tells its status only.
void OverloadChecker::suspect() {
  if (!knows_probation_ || !arrived_) return;
  // What a request may take at all is more than its own, short deadline.
  const wire::Duration own = arrived_->remaining;
  if (own > wire::Duration::zero() && own < std::chrono::milliseconds(800)) return;
  suspicions_.push_back({true, idle(true), on_probation_[true]});
  if (brownout()) suspicions_.push_back({false, idle(false), on_probation_[false]});
}

void OverloadChecker::on_status(const wire::Status& status, wire::Instant now) {
  on_probation_[true] = read(status, "classifiers_on_probation");
  on_probation_[false] = read(status, "assemblers_on_probation");
  for (const Suspicion& each : suspicions_) {
    if (each.idle <= std::max(each.on_probation, on_probation_[each.classifies])) continue;
    violations_.add(each.classifies ? "an image is refused while an s-CNN idles"
                                    : "an image is refused while a collage stage idles",
                    now);
  }
  suspicions_.clear();
  if (!faultless_ || in_line_ == 0) return;
  if (idle(true) > on_probation_[true]) {
    violations_.add("an image waits while an s-CNN idles", now);
  }
  if (brownout() && idle(false) > on_probation_[false]) {
    violations_.add("an image waits while a collage stage idles", now);
  }
}

// --- lives ---

void OverloadChecker::on_broker_life() {
  stages_.clear();
  producers_.clear();
  arrived_.reset();
  open_.clear();
  settled_.clear();
  tokens_.clear();
  images_.clear();
  slots_.clear();
  told_.reset();
  queues_.clear();
  in_line_ = 0;
  suspicions_.clear();
  on_probation_.clear();
}

void OverloadChecker::on_life(NodeId node) {
  // What a producer has sent before its crash may still arrive.
  stages_.erase(node);
}

}  // namespace replay::sim
