// Client's conversations with its brokers, and the choice among several.
#include <algorithm>
#include <string>

#include "producer/client.h"

namespace producer {

using machine::Actions;
using machine::LogMessage;
using wire::Instant;
using wire::Reason;
using wire::RequestId;

// --- the conversation with one ---

void Client::on_welcome(Index from, const wire::Welcome& welcome, Instant now, Actions& actions) {
  using Since = BrokerLink::Since;
  const Since since = links_[from].on_welcome(welcome, now);
  if (from == current_) welcome_ = welcome;
  if (since != Since::restarted && since != Since::lost) return;
  ++counters_.rejoined;
  const std::size_t again =
      links_.size() == 1 ? requests_.size() - cancels_.size() : requests_.in_flight(from);
  actions.log(
      LogMessage::Level::info,
      std::string(since == Since::restarted ? "the broker has restarted" : "the broker is back") +
          ": unanswered images, sent again: " + std::to_string(again));
  // Also to the same broker after a silence: messages may have been lost with the connection.
  requests_.queue_in_flight(from);
  for (auto& [id, sent_at] : cancels_) {
    if (requests_.find(id)->broker == from) sent_at.reset();
  }
}

// The broker does not serve us.
void Client::on_refusal(Index from, Reason reason, Instant now, Actions& actions) {
  if (!links_[from].on_refusal(reason, now)) return;
  actions.log(LogMessage::Level::warning,
              "the broker refuses us: " + std::string(to_string(reason)));
}

// An Undelivered does not name the message.  It was sent in the last iteration, or in this one if
// on_timeout came first.  So all requests of these two are sent again; the broker recognises those
// that it has already.
void Client::on_undelivered(Index from, Instant now) {
  ++counters_.undelivered;
  requests_.queue_sent_since(turn_before_, from);
  for (auto& [id, sent_at] : cancels_) {
    if (sent_at && *sent_at >= turn_before_ && requests_.find(id)->broker == from) sent_at.reset();
  }
  links_[from].send_after = now + policy_.retry_min;
}

// A broker that has requests of ours must go on hearing from us.
bool Client::greets(Index broker) const {
  return broker < greeted_ || requests_.in_flight(broker) > 0;
}

void Client::send_hellos(Instant now, Actions& actions) {
  for (Index i = 0; i < links_.size(); ++i) {
    if (!greets(i) || now < links_[i].hello_due()) continue;
    if (links_[i].on_hello(now, rng_)) {
      ++counters_.silences;
      actions.log(LogMessage::Level::warning, "the broker is silent");
    }
    ++counters_.hellos;
    actions.send({.link = i}, wire::ProducerHello{.producer = policy_.producer,
                                                  .corrections = policy_.corrections});
  }
}

Instant Client::next_hello() const {
  Instant next = links_.front().hello_due();
  for (Index i = 1; i < links_.size(); ++i) {
    if (greets(i)) next = std::min(next, links_[i].hello_due());
  }
  return next;
}

// --- the choice among several ---

void Client::fail_over(Instant now, Actions& actions) {
  if (links_.size() == 1) return;
  for (Index i = 0; i < links_.size(); ++i) {
    if (!greets(i)) {
      links_[i].rest();
      continue;
    }
    const bool silent = links_[i].leave_if_silent(now);
    if (silent) ++counters_.failovers;
    // One that drains answers what it has; one that refuses us does not.
    if (silent || (!links_[i].joined() && links_[i].failed())) leave(i, now, actions);
  }
  choose(now, actions);
}

// Takes what is in flight to a broker from it.
void Client::leave(Index broker, Instant now, Actions& actions) {
  const std::set<RequestId> taken = requests_.at(broker);
  if (taken.empty()) return;
  actions.log(LogMessage::Level::warning, "unanswered images, taken from broker " +
                                              std::to_string(broker + 1) + ": " +
                                              std::to_string(taken.size()));
  for (const RequestId id : taken) {
    const Instant until = requests_.find(id)->expires;
    if (until > now) links_[broker].leave_request(id, until);
    requests_.queue(id);
    if (const auto cancel = cancels_.find(id); cancel != cancels_.end()) cancel->second.reset();
  }
  counters_.moved += taken.size();
}

// The most preferred broker that serves us; one that has just come back is tried for a while first,
// unless there is no other.  While none serves us, the next is greeted as soon as all before it are
// known to fail.
void Client::choose(Instant now, Actions& actions) {
  const bool usable = links_[current_].usable();
  for (Index i = 0; i < links_.size(); ++i) {
    const auto steady_at = links_[i].steady_at();
    if (!steady_at || (usable && i != current_ && *steady_at > now)) continue;
    if (i != current_) {
      actions.log(LogMessage::Level::info, "images go to broker " + std::to_string(i + 1) + " of " +
                                               std::to_string(links_.size()));
    }
    current_ = i;
    greeted_ = i + 1;
    welcome_ = links_[i].welcome();
    return;
  }
  const auto end = links_.begin() + greeted_;
  if (end == links_.end()) return;
  if (!std::all_of(links_.begin(), end, [](const BrokerLink& link) { return link.failed(); }))
    return;
  current_ = greeted_++;
  links_[current_].greet(now);
}

std::optional<Instant> Client::next_choice() const {
  if (links_.size() == 1) return std::nullopt;
  std::optional<Instant> next;
  const auto sooner = [&next](std::optional<Instant> at) {
    if (at) next = next ? std::min(*next, *at) : at;
  };
  for (Index i = 0; i < links_.size(); ++i) {
    if (greets(i)) sooner(links_[i].judged_at());
    if (i < current_) sooner(links_[i].steady_at());
  }
  return next;
}

// Takes back what a broker may still have although another has answered it.
void Client::withdraw(Actions& actions) {
  for (Index i = 0; i < links_.size(); ++i) {
    for (const RequestId id : links_[i].take_withdrawn()) {
      ++counters_.cancels;
      actions.send({.link = i}, wire::Cancel{.request = id});
    }
  }
}

}  // namespace producer
