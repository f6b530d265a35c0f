#include "producer/broker_link.h"

#include <algorithm>
#include <utility>

namespace producer {

using wire::Duration;
using wire::Instant;
using wire::Reason;
using wire::RequestId;

namespace {

// The part of failover_after for which a client that doubts a broker listens.
constexpr int kListens = 8;

}  // namespace

void BrokerLink::greet(Instant now) {
  hello_due_ = now;
  hello_unanswered_ = 0;
  heard_ = now;
  asked_.reset();
  doubted_.reset();
  left_silent_ = false;
}

bool BrokerLink::on_hello(Instant now, machine::Rng& rng) {
  const bool silent = joined_ && hello_unanswered_ >= policy_.hello_unanswered_max;
  if (silent) joined_ = false;
  // Doubles with each unanswered hello, and is shortened at random, so that the producers of a
  // broker that has restarted do not say hello all at once.
  Duration wait = policy_.hello_min;
  for (std::uint32_t i = 0; i < hello_unanswered_ && wait < policy_.hello_max; ++i) wait *= 2;
  wait = std::min(wait, policy_.hello_max);
  if (known_ && !joined_)
    wait = std::min(wait, std::max(policy_.hello_lost, (now - heard_.value_or(now)) / 8));
  const double shorter = policy_.hello_jitter * rng.uniform();
  wait -= std::chrono::duration_cast<Duration>(wait * shorter);
  hello_due_ = now + wait;
  hello_sent_ = now;
  ++hello_unanswered_;
  if (!asked_) asked_ = now;
  return silent;
}

void BrokerLink::on_heard(Instant now) {
  heard_ = now;
  asked_.reset();
  doubted_.reset();
}

BrokerLink::Since BrokerLink::on_welcome(const wire::Welcome& welcome, Instant now) {
  const bool restarted = known_ && welcome.epoch != welcome_.epoch;
  const Since since = restarted ? Since::restarted
                      : !known_ ? Since::first
                      : joined_ ? Since::joined
                                : Since::lost;
  if (restarted) {
    // It remembers nothing.
    draining_ = false;
    left_.clear();
    withdrawn_.clear();
  }
  std::erase_if(left_, [now](const auto& one) { return one.second <= now; });
  if (!joined_ || restarted) usable_since_ = now;
  welcome_ = welcome;
  known_ = true;
  joined_ = true;
  left_silent_ = false;
  refusal_ = Reason::none;
  hello_unanswered_ = 0;
  hello_due_ = now + std::max(welcome.heartbeat, policy_.hello_min);
  return since;
}

bool BrokerLink::on_refusal(Reason reason, Instant now) {
  const bool is_new = std::exchange(refusal_, reason) != reason;
  if (joined_) {
    joined_ = false;
    hello_due_ = std::max(now, hello_sent_ + policy_.hello_min);
  }
  return is_new;
}

std::optional<Instant> BrokerLink::judged_at() const {
  if (left_silent_ || !asked_) return std::nullopt;
  const Duration listen = policy_.failover_after / kListens;
  if (doubted_) return *doubted_ + listen;
  // With a long heartbeat the first hello comes late, and its answer needs time, too.
  const Instant silent = std::max(heard_.value_or(*asked_) + policy_.failover_after,
                                  *asked_ + policy_.failover_after / 2);
  return silent - listen;
}

bool BrokerLink::leave_if_silent(Instant now) {
  const auto at = judged_at();
  if (!at || now < *at) return false;
  const Duration listen = policy_.failover_after / kListens;
  if (!doubted_ || now > *doubted_ + 2 * listen) {
    doubted_ = now;
    return false;
  }
  left_silent_ = true;
  joined_ = false;
  return true;
}

// A broker that does not know us yet, or any more, welcomes us at our next hello.
bool BrokerLink::failed() const {
  return left_silent_ || draining_ ||
         (refusal_ != Reason::none && refusal_ != Reason::unknown_producer);
}

std::optional<Instant> BrokerLink::steady_at() const {
  if (!usable()) return std::nullopt;
  return usable_since_ + policy_.return_after;
}

void BrokerLink::on_end(RequestId id) {
  if (left_.contains(id)) withdrawn_.insert(id);
}

// The Cancels go before any further request, so the broker has the room that credit() promises.
std::vector<RequestId> BrokerLink::take_withdrawn() {
  if (!joined_ || withdrawn_.empty()) return {};
  std::vector<RequestId> ids;
  for (const RequestId id : std::exchange(withdrawn_, {})) {
    if (left_.erase(id) > 0) ids.push_back(id);
  }
  return ids;
}

std::size_t BrokerLink::credit() const {
  if (!joined_) return 0;
  return welcome_.credit - std::min<std::size_t>(welcome_.credit, left_.size());
}

}  // namespace producer
